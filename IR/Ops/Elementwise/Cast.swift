import Support

/// Converts each element to the type `to`.
///
///     %0: f32[8, 128]
///     %1 = cast %0 {to = f16} : f16[8, 128]
///
/// Floats go to the nearest float, ties to even, and towards zero to an integer, where out of range saturates and NaN
/// is 0. Integers wrap. To bool, everything but zero is true. `saturate` concerns f8 alone: out of range becomes the
/// greatest value rather than infinity or NaN. `rounding` is that to f8e8m0, which holds powers of two: `up` to the
/// next greater one, `down` to the next smaller one, or `nearest`, ties to the greater one; there `saturate` also makes
/// what is too small, zero included, the least power rather than NaN, and negative numbers are NaN.
public struct Cast: OpKind {
  public static let mnemonics = ["cast"]
  public static let operands = [OperandSpec("x", .tensor)]

  public var to: TensorElement = .plain(.f32)
  public var saturate = true
  public var rounding = ScaleFloat.Rounding.up

  public init(mnemonic: String) {}
  public init(to element: ElementType, saturate: Bool = true, rounding: ScaleFloat.Rounding = .up) {
    to = .plain(element)
    self.saturate = saturate
    self.rounding = rounding
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.element("to", &to)
    try visitor.bool("saturate", &saturate)
    try visitor.choice("rounding", &rounding)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("cast")
    guard let from = type.plain, case .plain(let to) = to, from != .string, to != .string else {
      throw .unsupported("cast: cannot convert \(type) to \(to)")
    }
    let target = type.with(element: to)
    guard let elements = inputs[0].known?.elements, to.integerRange != nil else { return [ValueFact(target)] }
    if to != .bool { return [ValueFact(target, holding: elements)] }
    var bools: [Dim] = []
    for element in elements {
      guard let isZero = element.equals(0, context.symbols) else { return [ValueFact(target)] }
      bools.append(isZero ? 0 : 1)
    }
    return [ValueFact(target, holding: bools)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let from = x.storage, case .plain(let to) = to else { throw .bug("cast: cannot convert \(x.type) to \(to)") }
    if from == to { return [.tensor(x)] }
    switch (from.isFloat, to.isFloat) {
    case (true, true): return [.tensor(rounded(x.doubles(), x.shape, to))]
    case (true, false):
      let values = x.doubles()
      if to == .bool { return [.tensor(Tensor(to, x.shape, integers: values.map { $0 != 0 ? 1 : 0 }))] }
      return [.tensor(Tensor(to, x.shape, integers: values.map { Cast.saturated($0, to) }))]
    case (false, true):
      let values = x.integers().map { from == .u64 ? Cast.double(UInt(bitPattern: $0)) : Cast.double($0) }
      if to == .f64 {
        let exact = x.integers().map { from == .u64 ? Double(UInt(bitPattern: $0)) : Double($0) }
        return [.tensor(Tensor(to, x.shape, doubles: exact))]
      }
      return [.tensor(rounded(values, x.shape, to))]
    case (false, false): return [.tensor(Tensor(to, x.shape, integers: x.integers()))]
    }
  }

  private func rounded(_ values: [Double], _ shape: [Int], _ to: ElementType) -> Tensor {
    guard to == .f8e8m0 else { return Cast.rounded(values, shape, to, saturate: saturate) }
    let overflow: FloatOverflow = saturate ? .saturate : .nonFinite
    return Cast.tensor(values.map { Int(ScaleFloat.encode($0, rounding: rounding, overflow: overflow)) }, shape, to)
  }

  static func rounded(_ values: [Double], _ shape: [Int], _ to: ElementType, saturate: Bool) -> Tensor {
    guard saturate, to.bits == 8, let small = SmallFloat(to) else { return Tensor(to, shape, doubles: values) }
    return tensor(values.map { Int(small.encode($0, overflow: .saturate)) }, shape, to)
  }

  private static func tensor(_ patterns: [Int], _ shape: [Int], _ to: ElementType) -> Tensor {
    let bytes = TensorCoding.encode(bits: patterns, as: to)
    guard let tensor = try? Tensor(element: .plain(to), shape: shape, bytes: bytes) else {
      preconditionFailure("sizes differ")
    }
    return tensor
  }

  /// Towards zero, clamped to the type.
  static func saturated(_ value: Double, _ to: ElementType) -> Int {
    if to == .u64 {
      if value.isNaN || value <= 0 { return 0 }
      return Int(bitPattern: value >= 18446744073709551616.0 ? UInt.max : UInt(value))
    }
    guard let range = to.integerRange else { return 0 }
    return min(max(Int(saturating: value), range.lowerBound), range.upperBound)
  }

  /// Rounded to odd, so that rounding once more to a narrower float is as good as rounding once.
  private static func double(_ value: Int) -> Double {
    value < 0 ? -double(value.magnitude) : double(UInt(value))
  }
  private static func double(_ magnitude: UInt) -> Double {
    let kept = magnitude.bitWidth - magnitude.leadingZeroBitCount
    guard kept > 53 else { return Double(magnitude) }
    let dropped = UInt(kept - 53)
    let mask: UInt = (1 << dropped) - 1
    let odd: UInt = magnitude & mask == 0 ? 0 : 1
    return Double(((magnitude >> dropped) | odd) << dropped)
  }
}

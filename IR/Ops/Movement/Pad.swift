import Support

/// Puts `before[i]` elements in front of axis `i` and `after[i]` behind it, all equal to `value`; negative numbers cut
/// off instead.
///
///     %0: f32[1, 6, 6, 3]
///     %1 = pad %0 {before = [0, 1, 1, 0], after = [0, 1, 1, 0], value = 0.5} : f32[1, 8, 8, 3]
///
/// `value` is what the elements mean: a quantized tensor is padded with the integer that stands for it.
public struct Pad: OpKind {
  public static let mnemonics = ["pad"]
  public static let operands = [OperandSpec("x", .stored)]

  public var before: [Int] = []
  public var after: [Int] = []
  public var value = 0.0

  public init(mnemonic: String) {}
  public init(before: [Int], after: [Int], value: Double = 0) {
    self.before = before
    self.after = after
    self.value = value
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("before", &before)
    try visitor.ints("after", &after)
    try visitor.float("value", &value)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "pad")
    guard before.count == type.rank, after.count == type.rank else {
      throw .invalid("pad: \(type) takes \(type.rank) numbers before and after")
    }
    guard (before + after).allSatisfy({ $0.magnitude <= 1 << 40 }) else {
      throw .invalid("pad: the padding \(before), \(after) is too large")
    }
    var shape: [Dim] = []
    for (axis, dim) in type.shape.enumerated() {
      let extent = dim + (before[axis] + after[axis])
      // Cutting more than there is from one side cannot be made good on the other.
      for cut in [before[axis], after[axis]] where (dim + cut).bounds(context.symbols).upperBound < 0 {
        throw .invalid("pad: axis \(axis) of \(type) has no \(-cut) elements to cut off")
      }
      shape.append(extent)
    }
    return [ValueFact(type.with(shape: shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let shape = x.shape.indices.map { x.shape[$0] + before[$0] + after[$0] }
    for axis in shape.indices where x.shape[axis] + min(before[axis], after[axis]) < 0 {
      throw .invalid("pad: axis \(axis) of \(x.shape) has not enough elements to cut off")
    }
    try checkAllocatable(shape, "pad")
    let filler = try filler(x.element, &call)
    let strides = rowMajorStrides(x.shape)
    // Row-major numbers in x, or -1 outside of it, axis by axis.
    var positions = [0]
    for axis in shape.indices {
      var next: [Int] = []
      next.reserveCapacity(positions.count * shape[axis])
      for position in positions {
        for index in 0..<shape[axis] {
          let source = index - before[axis]
          let inside = position >= 0 && source >= 0 && source < x.shape[axis]
          next.append(inside ? position + source * strides[axis] : -1)
        }
      }
      positions = next
    }
    return [.tensor(x.picking(positions, shape: shape, filler: filler))]
  }

  private func filler(_ element: TensorElement, _ call: inout EvaluationCall) throws(Diagnostic) -> Tensor {
    switch element {
    case .plain(let type): return Tensor(type, [], doubles: [value])
    case .quantized(let type, let name):
      let parameters = try call.quantization(name)
      guard let scale = parameters.scales.first, let zero = parameters.zeroPoints.first else {
        throw .bug("!\(name) has no scale")
      }
      let stored = QuantizationRounding.nearestEven.quantize(value, scale: Double(scale), zero: zero, type)
      return try Tensor(element: element, [], stored: [stored])
    case .block: throw .bug("pad: blocks have no elements")
    }
  }
}

import Support

/// What is left of `x` after `quantize` and `dequantize`: `(q - zero) * scale` for the integer `q` nearest to
/// `x / scale + zero` that has so many bits.
///
///     %0: f32[8, 128]
///     %1: f32[]
///     %2: i32[]
///     %3 = fake_quant %0, %1, %2 {bits = 8, narrow = true} : f32[8, 128]
///
/// Scale and zero point are scalars or rows along `axis`, as in `quantize`; an absent zero point is 0. `narrow` leaves
/// out the least integer, so that signed ones are symmetric. NaN counts as 0.
public struct FakeQuant: OpKind {
  public static let mnemonics = ["fake_quant"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("scale", .float), OperandSpec("zero", .stored, .optional),
  ]

  /// From 2 to 16.
  public var bits = 8
  public var signed = true
  public var narrow = false
  /// Negative axes count from the end.
  public var axis = -1
  public var rounding = QuantizationRounding.nearestEven

  public init(mnemonic: String) {}
  public init(
    bits: Int = 8, signed: Bool = true, narrow: Bool = false, axis: Int = -1,
    rounding: QuantizationRounding = .nearestEven
  ) {
    self.bits = bits
    self.signed = signed
    self.narrow = narrow
    self.axis = axis
    self.rounding = rounding
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("bits", &bits)
    try visitor.bool("signed", &signed)
    try visitor.bool("narrow", &narrow)
    try visitor.int("axis", &axis)
    try visitor.choice("rounding", &rounding)
  }

  /// The integers that stand for numbers.
  public var range: ClosedRange<Int> {
    let width = Swift.min(Swift.max(bits, 2), 16)
    let greatest = signed ? (1 << (width - 1)) - 1 : (1 << width) - 1
    let least = signed ? -greatest - 1 : 0
    return (narrow ? least + 1 : least)...greatest
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("fake_quant")
    guard (2...16).contains(bits) else { throw .invalid("fake_quant: bits is \(bits), expected 2 to 16") }
    try QuantizationScales.check(
      scale: inputs[1], zero: inputs.present(2), axis: axis, of: type, stored: .i32, &context, "fake_quant")
    return [ValueFact(type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let scale = try inputs[1].expectTensor()
    guard let element = x.storage else { throw .bug("fake_quant: cannot take \(x.type)") }
    let axis = scale.shape.isEmpty ? 0 : try normalized(axis: axis, rank: x.shape.count, "fake_quant")
    let scales = QuantizationScales(scale: scale, zero: try inputs.present(2), axis: axis)
    let positions = try scales.positions(x.shape, "fake_quant")
    var values = x.doubles()
    for i in values.indices {
      let (scale, zero) = (scales.scales[positions[i]], scales.zeros[positions[i]])
      let q = rounding.quantize(values[i], scale: scale, zero: zero, range)
      values[i] = (Double(q) - Double(zero)) * scale
    }
    return [.tensor(Tensor(element, x.shape, doubles: values))]
  }
}

import Support

/// Rounds `x / scale` to an integer, adds the zero point and saturates to the type.
///
///     %0: f32[8, 128]
///     %1: f32[128]
///     %2: i8[128]
///     %3 = quantize %0, %1, %2 {to = i8, axis = 1} : i8[8, 128]
///
/// A quantized `to` brings its own parameters. With a plain one they are operands: scalars, or a row along `axis`; an
/// absent zero point is 0. `x / scale` is rounded to f32 first, as every runtime computes it, so that ties fall alike.
/// To f8 the quotient itself is rounded, saturating, and no zero point is added.
public struct Quantize: OpKind {
  public static let mnemonics = ["quantize"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("scale", .float, .optional), OperandSpec("zero", .stored, .optional),
  ]

  public var to: TensorElement = .plain(.i8)
  /// Negative axes count from the end.
  public var axis = -1
  public var rounding = QuantizationRounding.nearestEven

  public init(mnemonic: String) {}
  public init(to: TensorElement, axis: Int = -1, rounding: QuantizationRounding = .nearestEven) {
    self.to = to
    self.axis = axis
    self.rounding = rounding
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.element("to", &to)
    try visitor.int("axis", &axis)
    try visitor.choice("rounding", &rounding)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("quantize")
    switch to {
    case .quantized(let stored, let name):
      guard stored.isInteger, stored.bits <= 32 else { throw .invalid("quantize: cannot store in \(to)") }
      guard inputs.present(1) == nil, inputs.present(2) == nil else {
        throw .invalid("quantize: \(to) brings its parameters, so there are no operands for them")
      }
      try QuantizationScales.check(name, type.shape, &context, "quantize")
    case .plain(let stored):
      guard (stored.isInteger && stored.bits <= 32) || (stored.isFloat && stored.bits <= 8) else {
        throw .invalid("quantize: cannot store in \(to)")
      }
      try QuantizationScales.check(
        scale: inputs.present(1), zero: inputs.present(2), axis: axis, of: type, stored: stored, &context, "quantize")
    case .block: throw .unsupported("quantize: cannot make blocks of \(to)")
    }
    return [ValueFact(TensorType(to, type.shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let stored = to.storage else { throw .bug("quantize: cannot make blocks") }
    let scales: QuantizationScales
    if case .quantized(_, let name) = to {
      scales = QuantizationScales(try call.quantization(name))
    } else {
      guard let scale = try inputs.present(1) else { throw .bug("quantize: the scale is missing") }
      let axis = scale.shape.isEmpty ? 0 : try normalized(axis: axis, rank: x.shape.count, "quantize")
      scales = QuantizationScales(scale: scale, zero: try inputs.present(2), axis: axis)
    }
    let positions = try scales.positions(x.shape, "quantize")
    let values = x.doubles()
    if stored.isFloat {
      let quotients = values.indices.map { Double(Float(values[$0] / scales.scales[positions[$0]])) }
      return [.tensor(Cast.rounded(quotients, x.shape, stored, saturate: true))]
    }
    let integers = values.indices.map { i in
      let number = positions[i]
      return rounding.quantize(values[i], scale: scales.scales[number], zero: scales.zeros[number], stored)
    }
    return [.tensor(try Tensor(element: to, x.shape, stored: integers))]
  }
}

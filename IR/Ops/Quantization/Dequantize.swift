import Support

/// The numbers that quantized integers or blocks stand for: `(q - zero) * scale`.
///
///     %0: u8[8, 128]
///     %1: f32[]
///     %2: u8[]
///     %3 = dequantize %0, %1, %2 {to = f32} : f32[8, 128]
///
/// Quantized types and block types bring their own parameters. Plain ones take them as operands: scalars, or a row
/// along `axis`; an absent zero point is 0.
public struct Dequantize: OpKind {
  public static let mnemonics = ["dequantize"]
  public static let operands = [
    OperandSpec("q", .tensor), OperandSpec("scale", .float, .optional), OperandSpec("zero", .stored, .optional),
  ]

  public var to: TensorElement = .plain(.f32)
  /// Negative axes count from the end.
  public var axis = -1

  public init(mnemonic: String) {}
  public init(to: ElementType = .f32, axis: Int = -1) {
    self.to = .plain(to)
    self.axis = axis
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.element("to", &to)
    try visitor.int("axis", &axis)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].tensor("dequantize")
    guard case .plain(let to) = to, to.isFloat else { throw .invalid("dequantize: cannot give \(to)") }
    guard type.layout == nil else { throw .invalid("dequantize: the operand is \(type), expected a dense tensor") }
    switch type.element {
    case .quantized(_, let name):
      try checkNoOperands(inputs, type)
      try QuantizationScales.check(name, type.shape, &context, "dequantize")
    case .block: try checkNoOperands(inputs, type)
    case .plain(let stored):
      guard stored.isInteger || (stored.isFloat && stored.bits <= 8) else {
        throw .invalid("dequantize: cannot take \(type)")
      }
      try QuantizationScales.check(
        scale: inputs.present(1), zero: inputs.present(2), axis: axis, of: type, stored: stored, &context, "dequantize")
    }
    return [ValueFact(type.with(element: to))]
  }

  private func checkNoOperands(_ inputs: [ValueFact], _ type: TensorType) throws(Diagnostic) {
    guard inputs.present(1) == nil, inputs.present(2) == nil else {
      throw .invalid("dequantize: \(type) brings its parameters, so there are no operands for them")
    }
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard case .plain(let to) = to else { throw .bug("dequantize: cannot give \(to)") }
    let scales: QuantizationScales
    switch x.element {
    case .block: return [.tensor(Tensor(to, x.shape, doubles: x.doubles()))]
    case .quantized(_, let name): scales = QuantizationScales(try call.quantization(name))
    case .plain:
      guard let scale = try inputs.present(1) else { throw .bug("dequantize: the scale is missing") }
      let axis = scale.shape.isEmpty ? 0 : try normalized(axis: axis, rank: x.shape.count, "dequantize")
      scales = QuantizationScales(scale: scale, zero: try inputs.present(2), axis: axis)
    }
    let positions = try scales.positions(x.shape, "dequantize")
    // Doubles hold every difference of 32-bit integers exactly, and f8 has no zero point but 0.
    var values = x.doubles()
    for i in values.indices {
      values[i] = (values[i] - Double(scales.zeros[positions[i]])) * scales.scales[positions[i]]
    }
    return [.tensor(Tensor(to, x.shape, doubles: values))]
  }
}

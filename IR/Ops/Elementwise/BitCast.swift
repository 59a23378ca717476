import Support

/// The same bits under another element type of as many.
///
///     %0: f32[8, 128]
///     %1 = bit_cast %0 {to = i32} : i32[8, 128]
///
/// To bool, everything but zero is true. Quantized types are their integers.
public struct BitCast: OpKind {
  public static let mnemonics = ["bit_cast"]
  public static let operands = [OperandSpec("x", .tensor)]

  public var to: TensorElement = .plain(.i32)

  public init(mnemonic: String) {}
  public init(to element: ElementType) { to = .plain(element) }
  public init(to element: TensorElement) { to = element }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.element("to", &to)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("bit_cast")
    guard let from = type.element.storage, let target = to.storage, from != .string, target != .string,
      from.bits == target.bits
    else {
      throw .invalid("bit_cast: cannot take the bits of \(type) for \(to)")
    }
    if case .quantized(_, let name) = to { try QuantizationScales.check(name, type.shape, &context, "bit_cast") }
    return [ValueFact(TensorType(to, type.shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let same = try Tensor(element: to == .plain(.bool) ? .plain(.u8) : to, shape: x.shape, bytes: x.bytes)
    guard to == .plain(.bool) else { return [.tensor(same)] }
    return [.tensor(Tensor(.bool, x.shape, integers: same.integers().map { $0 == 0 ? 0 : 1 }))]
  }
}

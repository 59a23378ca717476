import Support

/// A small tensor written in the text.
///
///     %0 = constant {value = f32[2] [1.0, 2.5]} : f32[2]
public struct Constant: OpKind {
  public static let mnemonics = ["constant"]
  public static let operands: [OperandSpec] = []

  public var value: Tensor?

  public init(mnemonic: String) {}
  public init(_ value: Tensor) { self.value = value }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.tensor("value", &value)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard let value else { throw .invalid("constant has no value") }
    // The bit pattern of a large u64 reads as a negative number, which is no fact.
    guard let type = value.storage, type.integerRange != nil, type != .u64, value.layout == nil,
      value.count <= ValueFact.limit
    else { return [ValueFact(value.type)] }
    return [ValueFact(value.type, holding: value.integers().map { Dim($0) })]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard let value else { throw .bug("constant has no value") }
    return [.tensor(value)]
  }
}

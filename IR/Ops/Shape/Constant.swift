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
    var fact = ValueFact(value.type)
    if let type = value.storage, type.isInteger, value.count <= ValueFact.limit { fact.elements = value.integers().map { Dim($0) } }
    return [fact]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard let value else { throw .bug("constant has no value") }
    return [.tensor(value)]
  }
}

import Support

/// The value of an expression of extents.
///
///     %0 = dim {value = 2 * n + 1} : i64[]
public struct DimValue: OpKind {
  public static let mnemonics = ["dim"]
  public static let operands: [OperandSpec] = []

  public var value: Dim = 0

  public init(mnemonic: String) {}
  public init(_ value: Dim) { self.value = value }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("value", &value)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    [ValueFact(TensorType(.i64, []), holding: [value])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    [.tensor(.scalar(try call.dim(value)))]
  }
}

import Support

/// The numbers 0, 1, 2, ... below `extent`.
///
///     %0 = iota {extent = n} : i64[n]
public struct Iota: OpKind {
  public static let mnemonics = ["iota"]
  public static let operands: [OperandSpec] = []

  public var extent: Dim = 0

  public init(mnemonic: String) {}
  public init(_ extent: Dim) { self.extent = extent }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("extent", &extent)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    try checkExtents([extent], "iota")
    let type = TensorType(.i64, [extent])
    guard let count = extent.constant, count <= ValueFact.limit else { return [ValueFact(type)] }
    return [ValueFact(type, holding: (0..<count).map { Dim($0) })]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let shape = try call.shape([extent], "iota")
    return [.tensor(Tensor(.i64, shape, integers: Array(0..<shape[0])))]
  }
}

import Support

/// One element of a sequence by number; a negative one counts from the end.
///
///     %0: seq<f32[4]>
///     %1: i64[]
///     %3 = sequence_at %0, %1 : f32[4]
///
/// Where the type of members leaves extents open, `shape` names what they are: symbols that get their values here, or
/// expressions that the extents must equal.
///
///     %2: seq<f32[*]>
///     %4 = sequence_at %2, %1 {shape = [s, 4]} : f32[s, 4]
public struct SequenceAt: OpKind {
  public static let mnemonics = ["sequence_at"]
  public static let operands = [OperandSpec("sequence", .any), OperandSpec("index", .integer)]

  public var shape: [Dim] = []

  public init(mnemonic: String) {}
  public init(shape: [Dim] = []) { self.shape = shape }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dims("shape", &shape)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let member = try inputs[0].members("sequence_at")
    let index = try inputs[1].dense("sequence_at")
    guard index.rank == 0 else { throw .invalid("sequence_at: the index is \(index), expected one integer") }
    return [ValueFact(try takenOut(member, shape, "sequence_at"))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let members = try inputs[0].members("sequence_at")
    guard let index = try inputs[1].expectTensor().integers().first else { throw .bug("sequence_at: no index") }
    return [members[try place(index, in: members.count, end: members.count, "sequence_at")]]
  }
}

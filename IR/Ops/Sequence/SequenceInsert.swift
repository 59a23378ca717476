import Support

/// A sequence with one more member, at place `index`, or behind the last; a negative index counts from the end.
///
///     %0: seq<f32[4]>
///     %1: f32[4]
///     %2: i64[]
///     %3 = sequence_insert %0, %1, %2 : seq<f32[4]>
public struct SequenceInsert: OpKind {
  public static let mnemonics = ["sequence_insert"]
  public static let operands = [
    OperandSpec("sequence", .any), OperandSpec("member", .any), OperandSpec("index", .integer, .optional),
  ]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let member = try inputs[0].members("sequence_insert")
    guard member.admits(inputs[1].type) else {
      throw .invalid("sequence_insert: the member is \(inputs[1].type), expected \(member)")
    }
    try inputs.present(2)?.requireIndex("sequence_insert")
    return [ValueFact(inputs[0].type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var members = try inputs[0].members("sequence_insert")
    let index = try inputs.present(2)?.integers().first ?? members.count
    members.insert(
      inputs[1], at: try place(index, in: members.count, end: members.count + 1, "sequence_insert"))
    return [.sequence(members)]
  }
}

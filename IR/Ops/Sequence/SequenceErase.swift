import Support

/// A sequence without its member at place `index`, or without the last; a negative index counts from the end.
///
///     %0: seq<f32[4]>
///     %1: i64[]
///     %2 = sequence_erase %0, %1 : seq<f32[4]>
public struct SequenceErase: OpKind {
  public static let mnemonics = ["sequence_erase"]
  public static let operands = [OperandSpec("sequence", .any), OperandSpec("index", .integer, .optional)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    _ = try inputs[0].members("sequence_erase")
    try inputs.present(1)?.requireIndex("sequence_erase")
    return [ValueFact(inputs[0].type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var members = try inputs[0].members("sequence_erase")
    let index = try inputs.present(1)?.integers().first ?? -1
    members.remove(at: try place(index, in: members.count, end: members.count, "sequence_erase"))
    return [.sequence(members)]
  }
}

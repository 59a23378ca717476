import Support

/// How many elements a sequence has.
///
///     %0: seq<f32[4]>
///     %1 = sequence_length %0 : i64[]
public struct SequenceLength: OpKind {
  public static let mnemonics = ["sequence_length"]
  public static let operands = [OperandSpec("sequence", .any)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard case .sequence = inputs[0].type else {
      throw .invalid("sequence_length: the operand is \(inputs[0].type), expected a sequence")
    }
    return [ValueFact(.i64, [])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard case .sequence(let elements) = inputs[0] else { throw .bug("sequence_length: the operand is no sequence") }
    return [.tensor(.scalar(elements.count))]
  }
}

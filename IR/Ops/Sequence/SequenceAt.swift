import Support

/// One element of a sequence by number; a negative one counts from the end.
///
///     %0: seq<f32[4]>
///     %1: i64[]
///     %2 = sequence_at %0, %1 : f32[4]
public struct SequenceAt: OpKind {
  public static let mnemonics = ["sequence_at"]
  public static let operands = [OperandSpec("sequence", .any), OperandSpec("index", .integer)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard case .sequence(let element) = inputs[0].type else {
      throw .invalid("sequence_at: the operand is \(inputs[0].type), expected a sequence")
    }
    let index = try inputs[1].dense("sequence_at")
    guard index.rank == 0 else { throw .invalid("sequence_at: the index is \(index), expected one integer") }
    return [ValueFact(element)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard case .sequence(let elements) = inputs[0], let index = try inputs[1].expectTensor().integers().first else {
      throw .bug("sequence_at: the operand is no sequence")
    }
    guard index >= -elements.count, index < elements.count else {
      throw .invalid("sequence_at: index \(index) out of range for extent \(elements.count)")
    }
    return [elements[index < 0 ? index + elements.count : index]]
  }
}

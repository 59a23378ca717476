import Support

/// Whether a value that may be absent is there.
///
///     %0: optional<f32[4]>
///     %1 = optional_has %0 : bool[]
public struct OptionalHas: OpKind {
  public static let mnemonics = ["optional_has"]
  public static let operands = [OperandSpec("value", .any)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard case .optional = inputs[0].type else {
      throw .invalid("optional_has: the operand is \(inputs[0].type), expected one that may be absent")
    }
    return [ValueFact(.bool, [])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard case .optional(let value) = inputs[0] else { throw .bug("optional_has: the operand is always there") }
    return [.tensor(.scalar(value == nil ? 0 : 1, .bool))]
  }
}

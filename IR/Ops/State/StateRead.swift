import Support

/// What a state of the module holds now.
///
///     state @kv : f32[4, 8] = zeros
///     %0 = state_read {state = @kv} : f32[4, 8]
public struct StateRead: OpKind {
  public static let mnemonics = ["state_read"]
  public static let operands: [OperandSpec] = []

  public var state = ""
  public var effects: Effects { Effects(reads: state) }

  public init(mnemonic: String) {}
  public init(_ state: String) { self.state = state }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.reference("state", &state)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard let type = context.states[state] else { throw .invalid("state_read: there is no state @\(state)") }
    return [ValueFact(type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    [try call.state(state)]
  }
}

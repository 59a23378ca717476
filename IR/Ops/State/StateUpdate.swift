import Support

/// Replaces what a state of the module holds. The types must match.
///
///     state @kv : f32[4, 8] = zeros
///     %0: f32[4, 8]
///     state_update %0 {state = @kv}
public struct StateUpdate: OpKind {
  public static let mnemonics = ["state_update"]
  public static let operands = [OperandSpec("x", .any)]
  public static var resultCount: Int? { 0 }

  public var state = ""
  public var effects: Effects { Effects(writes: state) }

  public init(mnemonic: String) {}
  public init(_ state: String) { self.state = state }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.reference("state", &state)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard let type = context.states[state] else { throw .invalid("state_update: there is no state @\(state)") }
    let mismatch = "state_update: @\(state) is \(type), not \(inputs[0].type)"
    guard case .tensor(let declared) = type, case .tensor(let written) = inputs[0].type else {
      guard type == inputs[0].type else { throw .invalid(mismatch) }
      return []
    }
    guard declared.element == written.element, declared.rank == written.rank, declared.layout == written.layout else {
      throw .invalid(mismatch)
    }
    for (a, b) in zip(declared.shape, written.shape) { try context.require(b, equals: a, mismatch) }
    return []
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    call.setState(state, inputs[0])
    return []
  }
}

import Support

/// A plain recurrent layer over the steps of `x` `[steps, batch, inputs]`, in one direction or both: the new state is
/// `f(w x + r h + bias)`.
///
///     %0: f32[n, 2, 10]
///     %1: f32[1, 20, 10]
///     %2: f32[1, 20, 20]
///     %3, %4 = rnn %0, %1, %2 {activations = ["relu"]} : f32[n, 1, 2, 20], f32[1, 2, 20]
///
/// `w` is `[directions, hidden, inputs]`, `r` `[directions, hidden, hidden]`, `bias` `[directions, 2 * hidden]` (that of
/// `w`, then that of `r`); `h` is the state to start from, zeros when absent. Results are the state after every step
/// `[steps, directions, batch, hidden]` and the last one. `lengths` says how many steps each sequence has; results behind
/// are zero. `activations` has one function a direction, tanh when empty; `clip`, unless zero, bounds what goes into it.
public struct RNN: OpKind, RecurrentKind {
  public static let mnemonics = ["rnn"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("w", .float), OperandSpec("r", .float),
    OperandSpec("bias", .float, .optional), OperandSpec("lengths", .integer, .optional),
    OperandSpec("h", .float, .optional),
  ]
  public static let resultCount: Int? = 2
  public static let gates = 1
  public static let usualActivations: [RecurrentActivation.Function] = [.tanh]

  public var direction = RecurrentDirection.forward
  public var activations: [String] = []
  public var clip = 0.0

  public init(mnemonic: String) {}
  public init(direction: RecurrentDirection = .forward, activations: [String] = [], clip: Double = 0) {
    self.direction = direction
    self.activations = activations
    self.clip = clip
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("direction", &direction)
    try visitor.strings("activations", &activations)
    try visitor.float("clip", &clip)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let (element, steps, state) = try states(inputs, [(5, "h")], in: &context)
    return [ValueFact(element, [steps] + state), ValueFact(element, state)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var states = [try initialState(inputs, 5)]
    let functions = try allFunctions()
    let (element, shape, y) = try evaluateSteps(inputs, states: &states) { d, input, recurrent, states in
      let h = states[0]
      for i in 0..<recurrent.hidden {
        states[0][i] = functions[d][0].apply(clipped(input[i] + recurrent.product(0, i, h)))
      }
    }
    return results(element, shape, y, states)
  }
}

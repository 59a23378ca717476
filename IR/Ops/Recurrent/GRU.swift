import Support

/// Gated recurrent units over the steps of `x` `[steps, batch, inputs]`, in one direction or both.
///
///     %0: f32[n, 2, 10]
///     %1: f32[1, 60, 10]
///     %2: f32[1, 60, 20]
///     %3, %4 = gru %0, %1, %2 : f32[n, 1, 2, 20], f32[1, 2, 20]
///
/// `w` is `[directions, 3 * hidden, inputs]`, `r` `[directions, 3 * hidden, hidden]`, `bias` `[directions, 6 * hidden]`
/// (that of `w`, then that of `r`), gates in the order update, reset, hidden; `h` is the state to start from, zeros when
/// absent. Results are the state after every step `[steps, directions, batch, hidden]` and the last one. `lengths` says
/// how many steps each sequence has; results behind are zero. `activations` are those of gates and state of each
/// direction, sigmoid and tanh when empty; `clip`, unless zero, bounds what goes into them. The reset gate weighs the
/// state before it is multiplied, or with `linear_before_reset` the product and its bias.
public struct GRU: OpKind, RecurrentKind {
  public static let mnemonics = ["gru"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("w", .float), OperandSpec("r", .float),
    OperandSpec("bias", .float, .optional), OperandSpec("lengths", .integer, .optional),
    OperandSpec("h", .float, .optional),
  ]
  public static let resultCount: Int? = 2
  public static let gates = 3
  public static let usualActivations: [RecurrentActivation.Function] = [.sigmoid, .tanh]

  public var direction = RecurrentDirection.forward
  public var activations: [String] = []
  public var clip = 0.0
  public var linearBeforeReset = false

  public init(mnemonic: String) {}
  public init(
    direction: RecurrentDirection = .forward, activations: [String] = [], clip: Double = 0,
    linearBeforeReset: Bool = false
  ) {
    self.direction = direction
    self.activations = activations
    self.clip = clip
    self.linearBeforeReset = linearBeforeReset
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("direction", &direction)
    try visitor.strings("activations", &activations)
    try visitor.float("clip", &clip)
    try visitor.bool("linear_before_reset", &linearBeforeReset)
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
      let hidden = recurrent.hidden
      let h = states[0]
      func gate(_ number: Int, _ i: Int) -> Double {
        functions[d][0].apply(clipped(input[number * hidden + i] + recurrent.product(number, i, h)))
      }
      let resets = (0..<hidden).map { gate(1, $0) }
      let weighed = (0..<hidden).map { resets[$0] * h[$0] }
      for i in 0..<hidden {
        let product =
          linearBeforeReset ? resets[i] * recurrent.product(2, i, h) : recurrent.product(2, i, weighed)
        let new = functions[d][1].apply(clipped(input[2 * hidden + i] + product))
        let update = gate(0, i)
        states[0][i] = (1 - update) * new + update * h[i]
      }
    }
    return results(element, shape, y, states)
  }
}

import Support

/// Long short-term memory over the steps of `x` `[steps, batch, inputs]`, in one direction or both.
///
///     %0: f32[n, 2, 10]
///     %1: f32[1, 80, 10]
///     %2: f32[1, 80, 20]
///     %3: f32[1, 160]
///     %4, %5, %6 = lstm %0, %1, %2, %3 : f32[n, 1, 2, 20], f32[1, 2, 20], f32[1, 2, 20]
///
/// `w` is `[directions, 4 * hidden, inputs]`, `r` `[directions, 4 * hidden, hidden]`, `bias` `[directions, 8 * hidden]`
/// (that of `w`, then that of `r`), gates in the order input, output, forget, cell. `h` and `c` are the states to start
/// from, zeros when absent, and `peepholes` `[directions, 3 * hidden]` lets the cell reach the gates. Results are the
/// state after every step `[steps, directions, batch, hidden]` and the last `h` and `c` `[directions, batch, hidden]`.
/// `lengths` says how many steps each sequence has; results behind are zero. `activations` are those of gates, cell and
/// state of each direction, sigmoid and tanh when empty; `clip`, unless zero, bounds what goes into them. With
/// `input_forget` the forget gate is one less the input gate.
public struct LSTM: OpKind, RecurrentKind {
  public static let mnemonics = ["lstm"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("w", .float), OperandSpec("r", .float),
    OperandSpec("bias", .float, .optional), OperandSpec("lengths", .integer, .optional),
    OperandSpec("h", .float, .optional), OperandSpec("c", .float, .optional),
    OperandSpec("peepholes", .float, .optional),
  ]
  public static let resultCount: Int? = 3
  public static let gates = 4
  public static let usualActivations: [RecurrentActivation.Function] = [.sigmoid, .tanh, .tanh]

  public var direction = RecurrentDirection.forward
  public var activations: [String] = []
  public var clip = 0.0
  public var inputForget = false

  public init(mnemonic: String) {}
  public init(
    direction: RecurrentDirection = .forward, activations: [String] = [], clip: Double = 0, inputForget: Bool = false
  ) {
    self.direction = direction
    self.activations = activations
    self.clip = clip
    self.inputForget = inputForget
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("direction", &direction)
    try visitor.strings("activations", &activations)
    try visitor.float("clip", &clip)
    try visitor.bool("input_forget", &inputForget)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let (element, steps, state) = try states(inputs, [(5, "h"), (6, "c")], in: &context)
    if let given = try inputs.present(7)?.dense("lstm") {
      try require(given, [state[0], state[2] * 3], "peepholes", &context, element)
    }
    return [ValueFact(element, [steps] + state), ValueFact(element, state), ValueFact(element, state)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var states = [try initialState(inputs, 5), try initialState(inputs, 6)]
    let functions = try allFunctions()
    let peepholes = try inputs.present(7)?.doubles()
    let (element, shape, y) = try evaluateSteps(inputs, states: &states) { d, input, recurrent, states in
      let hidden = recurrent.hidden
      let h = states[0]
      func peephole(_ gate: Int, _ i: Int, _ cell: Double) -> Double {
        peepholes.map { $0[(d * 3 + gate) * hidden + i] * cell } ?? 0
      }
      func gate(_ number: Int, _ i: Int, _ extra: Double, _ function: Int) -> Double {
        functions[d][function].apply(
          clipped(input[number * hidden + i] + recurrent.product(number, i, h) + extra))
      }
      for i in 0..<hidden {
        let old = states[1][i]
        let enters = gate(0, i, peephole(0, i, old), 0)
        let stays = inputForget ? 1 - enters : gate(2, i, peephole(2, i, old), 0)
        let cell = stays * old + enters * gate(3, i, 0, 1)
        states[1][i] = cell
        states[0][i] = gate(1, i, peephole(1, i, cell), 0) * functions[d][2].apply(cell)
      }
    }
    return results(element, shape, y, states)
  }
}

import Support

// What recurrent ops share: operands, typing, and the walk over steps.

/// In which direction a recurrent op goes through its sequence.
public enum RecurrentDirection: String, CaseIterable, Sendable {
  case forward, reverse, bidirectional

  public var count: Int { self == .bidirectional ? 2 : 1 }
  public func isReversed(_ number: Int) -> Bool { self == .reverse || number == 1 }
}

/// The extents of a recurrent op.
public struct RecurrentExtents: Hashable, Sendable {
  public var steps: Dim
  public var batch: Dim
  public var inputs: Dim
  public var hidden: Dim
}

/// An op with a state; `x` is `[steps, batch, inputs]`, and weights come gate by gate.
public protocol RecurrentKind: OpKind {
  /// How many times the hidden width the weights have as rows.
  static var gates: Int { get }
  /// Functions of a direction where `activations` is empty.
  static var usualActivations: [RecurrentActivation.Function] { get }
  var direction: RecurrentDirection { get }
  var activations: [String] { get }
  var clip: Double { get }
}

extension RecurrentKind {
  /// The functions of direction `number`.
  public func functions(_ number: Int) throws(Diagnostic) -> [RecurrentActivation] {
    let usual = Self.usualActivations.map { RecurrentActivation($0) }
    if activations.isEmpty { return usual }
    guard activations.count == usual.count * direction.count else {
      throw .invalid("\(mnemonic): \(activations.count) activations, expected \(usual.count * direction.count)")
    }
    var result: [RecurrentActivation] = []
    for place in 0..<usual.count {
      do throws(Diagnostic) {
        result.append(try RecurrentActivation(activations[number * usual.count + place]))
      } catch {
        throw .invalid("\(mnemonic): \(error.message)")
      }
    }
    return result
  }

  /// The functions of each direction.
  func allFunctions() throws(Diagnostic) -> [[RecurrentActivation]] {
    var result: [[RecurrentActivation]] = []
    for number in 0..<direction.count { result.append(try functions(number)) }
    return result
  }

  /// Checks operands 0 to 4 and the states to start from, of which `given` lists the operands, and gives the element type,
  /// the steps and a state's shape.
  func states(
    _ inputs: [ValueFact], _ given: [(number: Int, name: String)], in context: inout InferenceContext
  ) throws(Diagnostic) -> (element: ElementType, steps: Dim, state: [Dim]) {
    let (element, extents) = try extents(inputs, in: &context)
    let state = [Dim(direction.count), extents.batch, extents.hidden]
    for (number, name) in given {
      if let type = try inputs.present(number)?.dense(mnemonic) { try require(type, state, name, &context, element) }
    }
    return (element, extents.steps, state)
  }

  /// Checks operands 0 to 4 (x, w, r, bias, lengths) and gives the extents.
  func extents(
    _ inputs: [ValueFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> (element: ElementType, extents: RecurrentExtents) {
    let (x, w, r) = (try inputs[0].dense(mnemonic), try inputs[1].dense(mnemonic), try inputs[2].dense(mnemonic))
    guard let element = x.plain, w.plain == element, r.plain == element, x.rank == 3, w.rank == 3, r.rank == 3 else {
      throw .invalid("\(mnemonic): cannot take \(x), \(w) and \(r)")
    }
    guard clip >= 0, clip.isFinite else { throw .invalid("\(mnemonic): clip is \(clip)") }
    _ = try allFunctions()
    let extents = RecurrentExtents(steps: x.shape[0], batch: x.shape[1], inputs: x.shape[2], hidden: r.shape[2])
    let (count, rows) = (Dim(direction.count), extents.hidden * Self.gates)
    try require(w, [count, rows, extents.inputs], "w", &context)
    try require(r, [count, rows, extents.hidden], "r", &context)
    if let bias = try inputs.present(3)?.dense(mnemonic) {
      try require(bias, [count, rows * 2], "bias", &context, element)
    }
    if let lengths = try inputs.present(4)?.dense(mnemonic) {
      try require(lengths, [extents.batch], "lengths", &context)
    }
    return (element, extents)
  }

  /// Demands that an operand has a shape.
  func require(
    _ type: TensorType, _ shape: [Dim], _ name: String, _ context: inout InferenceContext, _ element: ElementType? = nil
  ) throws(Diagnostic) {
    guard type.rank == shape.count, element == nil || type.plain == element else {
      throw .invalid("\(mnemonic): \(name) is \(type), expected shape \(shape) of the elements of x")
    }
    for (a, b) in zip(type.shape, shape) {
      try context.require(a, equals: b, "\(mnemonic): \(name) has shape \(type.shape), expected \(shape)")
    }
  }

  /// Walks all steps of all sequences. `step` gets what the weights make of the input, gate by gate, and the states of
  /// the sequence, which it brings forward; the first state is the result.
  func evaluateSteps(
    _ inputs: [Value], states: inout [[Double]],
    _ step: (_ direction: Int, _ input: [Double], _ recurrent: Recurrent, _ states: inout [[Double]]) -> Void
  ) throws(Diagnostic) -> (element: ElementType, shape: [Int], y: [Double]) {
    let (x, w, r) = (try inputs[0].expectTensor(), try inputs[1].expectTensor(), try inputs[2].expectTensor())
    guard let element = x.storage else { throw .bug("\(mnemonic): cannot take \(x.type)") }
    let (steps, batch, width, hidden) = (x.shape[0], x.shape[1], x.shape[2], r.shape[2])
    let rows = hidden * Self.gates
    let count = direction.count
    let shape = [steps, count, batch, hidden]
    try checkAllocatable(shape, mnemonic)
    let (values, weights, recurrent) = (x.doubles(), w.doubles(), r.doubles())
    let biases = try inputs.present(3)?.doubles() ?? [Double](repeating: 0, count: count * rows * 2)
    let lengths = try inputs.present(4)?.integers()
    var y = [Double](repeating: 0, count: shape.reduce(1, *))
    for d in 0..<count {
      let first = Array(biases[d * rows * 2..<d * rows * 2 + rows])
      let matrix = Recurrent(
        weights: Array(recurrent[d * rows * hidden..<(d + 1) * rows * hidden]),
        bias: Array(biases[d * rows * 2 + rows..<(d + 1) * rows * 2]), hidden: hidden)
      for b in 0..<batch {
        let length = try lengths.map { all throws(Diagnostic) in
          guard (0...steps).contains(all[b]) else {
            throw .invalid("\(mnemonic): a sequence has length \(all[b]) of \(steps)")
          }
          return all[b]
        }
        var own = states.map { Array($0[(d * batch + b) * hidden..<(d * batch + b + 1) * hidden]) }
        for t in 0..<(length ?? steps) {
          let place = direction.isReversed(d) ? (length ?? steps) - 1 - t : t
          var input = first
          for row in 0..<rows {
            for i in 0..<width {
              input[row] += weights[(d * rows + row) * width + i] * values[(place * batch + b) * width + i]
            }
          }
          step(d, input, matrix, &own)
          for i in 0..<hidden { y[((place * count + d) * batch + b) * hidden + i] = own[0][i] }
        }
        for (number, state) in own.enumerated() {
          for i in 0..<hidden { states[number][(d * batch + b) * hidden + i] = state[i] }
        }
      }
    }
    return (element, shape, y)
  }

  /// The state that operand `number` gives, or zeros.
  func initialState(_ inputs: [Value], _ number: Int) throws(Diagnostic) -> [Double] {
    if let given = try inputs.present(number) { return given.doubles() }
    let (x, r) = (try inputs[0].expectTensor(), try inputs[2].expectTensor())
    let shape = [direction.count, x.shape[1], r.shape[2]]
    try checkAllocatable(shape, mnemonic)
    return [Double](repeating: 0, count: shape.reduce(1, *))
  }

  /// What every step gave, and the last of each state.
  func results(_ element: ElementType, _ shape: [Int], _ y: [Double], _ states: [[Double]]) -> [Value] {
    let last = Array(shape.dropFirst())
    return [.tensor(Tensor(element, shape, doubles: y))]
      + states.map { .tensor(Tensor(element, last, doubles: $0)) }
  }

  func clipped(_ x: Double) -> Double { clip > 0 && !x.isNaN ? Swift.max(-clip, Swift.min(clip, x)) : x }
}

/// The weights that a state is multiplied by, and their bias.
struct Recurrent {
  var weights: [Double]
  var bias: [Double]
  var hidden: Int

  /// Row `i` of gate `gate`, times `state`, plus the bias.
  func product(_ gate: Int, _ i: Int, _ state: [Double]) -> Double {
    let row = gate * hidden + i
    var sum = bias[row]
    for k in 0..<hidden { sum += weights[row * hidden + k] * state[k] }
    return sum
  }
}

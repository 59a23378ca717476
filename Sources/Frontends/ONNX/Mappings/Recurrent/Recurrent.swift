import IR
import Support

extension ONNXMapping {
  static let recurrents: [ONNXMapping] = [lstm, gru, rnn]

  private static let attributes = [
    "activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "layout",
    "output_sequence",
  ]

  static let lstm = ONNXMapping(
    ["LSTM"], 7...newest, inputs: 3...8, attributes: attributes + ["input_forget"]
  ) { c throws(Diagnostic) in
    let direction = try c.direction()
    let kind = LSTM(
      direction: direction, activations: try c.activations(["Sigmoid", "Tanh", "Tanh"], direction),
      clip: try c.float("clip", default: 0), inputForget: try c.flag("input_forget", default: false))
    return try c.recurrence(kind, states: 2)
  }

  static let gru = ONNXMapping(
    ["GRU"], 7...newest, inputs: 3...6, attributes: attributes + ["linear_before_reset"]
  ) { c throws(Diagnostic) in
    let direction = try c.direction()
    let kind = GRU(
      direction: direction, activations: try c.activations(["Sigmoid", "Tanh"], direction),
      clip: try c.float("clip", default: 0), linearBeforeReset: try c.flag("linear_before_reset", default: false))
    return try c.recurrence(kind, states: 1)
  }

  static let rnn = ONNXMapping(["RNN"], 7...newest, inputs: 3...6, attributes: attributes) { c throws(Diagnostic) in
    let direction = try c.direction()
    let kind = RNN(
      direction: direction, activations: try c.activations(["Tanh"], direction),
      clip: try c.float("clip", default: 0))
    return try c.recurrence(kind, states: 1)
  }
}

extension ONNXNodeContext {
  fileprivate func direction() throws(Diagnostic) -> RecurrentDirection {
    let name = try string("direction", default: "forward")
    guard let direction = RecurrentDirection(rawValue: name) else { throw .invalid("direction is \"\(name)\"") }
    return direction
  }

  /// The functions as the op spells them; none where they are the usual ones. The lists of parameters go, in order, to
  /// the functions that take some.
  fileprivate func activations(_ usual: [String], _ direction: RecurrentDirection) throws(Diagnostic) -> [String] {
    guard let given = try byteStrings("activations"), !given.isEmpty else { return [] }
    let names = given.map { String(decoding: $0, as: UTF8.self).lowercased() }
    guard names.count == usual.count * direction.count else {
      throw .invalid("\(names.count) activations, expected \(usual.count * direction.count)")
    }
    if zip(names.indices, names).allSatisfy({ usual[$0 % usual.count].lowercased() == $1 }) { return [] }
    var (alphas, betas) = (try floats("activation_alpha") ?? [], try floats("activation_beta") ?? [])
    var result: [String] = []
    for name in names {
      guard let known = ONNXNodeContext.functions[name] else { throw .invalid("there is no activation \"\(name)\"") }
      var activation = known
      if known.function.parameters > 0, !alphas.isEmpty { activation.alpha = Double(alphas.removeFirst()) }
      if known.function.parameters > 1, !betas.isEmpty { activation.beta = Double(betas.removeFirst()) }
      result.append(activation.text)
    }
    return result
  }

  /// The format's names, with its own default parameters.
  private static let functions: [String: RecurrentActivation] = [
    "relu": RecurrentActivation(.relu), "tanh": RecurrentActivation(.tanh), "sigmoid": RecurrentActivation(.sigmoid),
    "affine": RecurrentActivation(.affine, alpha: 1, beta: 0), "softsign": RecurrentActivation(.softsign),
    "softplus": RecurrentActivation(.softplus), "elu": RecurrentActivation(.elu, alpha: 1),
    "leakyrelu": RecurrentActivation(.leakyRelu, alpha: 0.01),
    "thresholdedrelu": RecurrentActivation(.thresholdedRelu, alpha: 1),
    "scaledtanh": RecurrentActivation(.scaledTanh, alpha: 1, beta: 1),
    "hardsigmoid": RecurrentActivation(.hardSigmoid, alpha: 0.2, beta: 0.5),
  ]

  /// Adds the op, with the batch moved to where it has it.
  fileprivate func recurrence(_ kind: any RecurrentKind, states: Int) throws(Diagnostic) -> [ValueID] {
    let batchFirst = try flag("layout", default: false)
    var operands = self.operands
    guard try rank(try input(0)) == 3 else { throw .invalid("the input is \(try type(try input(0)))") }
    if batchFirst {
      operands[0] = try transpose(try input(0), [1, 0, 2])
      for number in 5..<5 + states {
        if let state = optionalInput(number) { operands[number] = try transpose(state, [1, 0, 2]) }
      }
    }
    if let hidden = try int("hidden_size"), let rows = try shape(try input(2)).last?.constant, rows != hidden {
      throw .invalid("hidden_size is \(hidden), but the weights have \(rows)")
    }
    let results = try importer.builder.add(kind, operands)
    guard batchFirst else { return results }
    var turned = [try transpose(results[0], [2, 0, 1, 3])]
    for state in results.dropFirst() { turned.append(try transpose(state, [1, 0, 2])) }
    return turned
  }
}

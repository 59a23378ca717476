import Formats
import IR
import Support

extension LSTM: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    try c.emitRecurrent(
      "LSTM", direction, activations, perDirection: ["sigmoid", "tanh", "tanh"], clip,
      inputForget ? [ONNXAttribute("input_forget", int: 1)] : [], outputs: 3)
  }
}

extension GRU: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    try c.emitRecurrent(
      "GRU", direction, activations, perDirection: ["sigmoid", "tanh"], clip,
      linearBeforeReset ? [ONNXAttribute("linear_before_reset", int: 1)] : [], outputs: 2)
  }
}

extension RNN: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    try c.emitRecurrent("RNN", direction, activations, perDirection: ["tanh"], clip, [], outputs: 2)
  }
}

extension ONNXEmissionContext {
  private static let activationNames: [RecurrentActivation.Function: String] = [
    .relu: "Relu", .tanh: "Tanh", .sigmoid: "Sigmoid", .affine: "Affine", .softsign: "Softsign", .softplus: "Softplus",
    .elu: "Elu", .leakyRelu: "LeakyRelu", .thresholdedRelu: "ThresholdedRelu", .scaledTanh: "ScaledTanh",
    .hardSigmoid: "HardSigmoid",
  ]

  /// The operands are the format's own, and in its order.
  fileprivate func emitRecurrent(
    _ name: String, _ direction: RecurrentDirection, _ activations: [String], perDirection: [String], _ clip: Double,
    _ more: [ONNXAttribute], outputs: Int
  ) throws(Diagnostic) -> [String] {
    let element = try element(0)
    let wide: ElementType = element == .bf16 ? .f32 : element
    var inputs = try inputs().enumerated().map { number, name throws(Diagnostic) in
      name.isEmpty || number == 4 ? name : cast(name, element, to: wide)
    }
    if has(4) { inputs[4] = cast(inputs[4], try self.element(4), to: .i32) }
    guard let hidden = try type(2).shape.last?.constant else {
      throw .unsupported("\(mnemonic): the state has an open extent")
    }
    var attributes = [
      ONNXAttribute("direction", string: direction.rawValue), ONNXAttribute("hidden_size", int: hidden),
    ]
    if activations != [] { attributes += try functions(activations) }
    if clip != 0 { attributes.append(ONNXAttribute("clip", float: Float(clip))) }
    return nodes(name, inputs, attributes + more, outputs: outputs).map { cast($0, wide, to: element) }
  }

  private func functions(_ texts: [String]) throws(Diagnostic) -> [ONNXAttribute] {
    var names: [String] = []
    var (alphas, betas): ([Float], [Float]) = ([], [])
    for text in texts {
      let activation = try RecurrentActivation(text)
      names.append(ONNXEmissionContext.activationNames[activation.function] ?? "")
      if activation.function.parameters > 0 { alphas.append(Float(activation.alpha)) }
      if activation.function.parameters > 1 { betas.append(Float(activation.beta)) }
    }
    var attributes = [ONNXAttribute("activations", strings: names)]
    if !alphas.isEmpty { attributes.append(ONNXAttribute("activation_alpha", floats: alphas)) }
    if !betas.isEmpty { attributes.append(ONNXAttribute("activation_beta", floats: betas)) }
    return attributes
  }
}

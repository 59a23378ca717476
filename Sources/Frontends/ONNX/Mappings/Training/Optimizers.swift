import IR
import Support

// Steps of training: for each of several tensors its new value from its gradient and what was kept of earlier ones.

extension ONNXMapping {
  static let training: [ONNXMapping] = [momentum, adagrad, adam]

  private static let domain = "ai.onnx.preview.training"

  static let momentum = ONNXMapping(
    ["Momentum"], 1...newest, inputs: 3...Int.max, attributes: ["alpha", "beta", "mode", "norm_coefficient"],
    domain: domain
  ) { c throws(Diagnostic) in
    let mode = try c.string("mode", default: "")
    guard mode == "standard" || mode == "nesterov" else { throw .invalid("mode is \"\(mode)\"") }
    return try c.steps(parts: 3) { x, count, inputs throws(Diagnostic) in
      let (gradient, kept) = (try c.regularized(x, inputs[0]), inputs[1])
      let alpha = try c.number(try c.float("alpha", default: 0), like: x)
      // The first step takes all of the gradient.
      let later = try c.number(try c.float("beta", default: 0), like: x)
      let isFirst = try c.compare(.equal, count, try c.scalar(0, .i64))
      let beta = try c.select(isFirst, try c.number(1, like: x), later)
      let moved = try c.binary(.add, try c.binary(.mul, alpha, kept), try c.binary(.mul, beta, gradient))
      let step = mode == "standard" ? moved : try c.binary(.add, gradient, try c.binary(.mul, alpha, moved))
      return [try c.binary(.sub, x, try c.binary(.mul, try c.rate(like: x), step)), moved]
    }
  }

  static let adagrad = ONNXMapping(
    ["Adagrad"], 1...newest, inputs: 3...Int.max, attributes: ["decay_factor", "epsilon", "norm_coefficient"],
    domain: domain
  ) { c throws(Diagnostic) in
    try c.steps(parts: 3) { x, count, inputs throws(Diagnostic) in
      let gradient = try c.regularized(x, inputs[0])
      let decay = try c.binary(
        .mul, try c.cast(count, to: try c.element(x)), try c.number(try c.float("decay_factor", default: 0), like: x))
      let rate = try c.binary(.div, try c.rate(like: x), try c.binary(.add, try c.number(1, like: x), decay))
      let squares = try c.binary(.add, inputs[1], try c.binary(.mul, gradient, gradient))
      let root = try c.binary(
        .add, try c.unary(.sqrt, squares), try c.number(try c.float("epsilon", default: 1e-6), like: x))
      return [try c.binary(.sub, x, try c.binary(.div, try c.binary(.mul, rate, gradient), root)), squares]
    }
  }

  static let adam = ONNXMapping(
    ["Adam"], 1...newest, inputs: 3...Int.max,
    attributes: ["alpha", "beta", "epsilon", "norm_coefficient", "norm_coefficient_post"], domain: domain
  ) { c throws(Diagnostic) in
    try c.steps(parts: 4) { x, count, inputs throws(Diagnostic) in
      let gradient = try c.regularized(x, inputs[0])
      let one = try c.number(1, like: x)
      let (alpha, beta) = (try c.float("alpha", default: 0.9), try c.float("beta", default: 0.999))
      func mean(_ kept: ValueID, _ new: ValueID, _ factor: Double) throws(Diagnostic) -> ValueID {
        let old = try c.binary(.mul, try c.number(factor, like: x), kept)
        return try c.binary(.add, old, try c.binary(.mul, try c.number(1 - factor, like: x), new))
      }
      let first = try mean(inputs[1], gradient, alpha)
      let second = try mean(inputs[2], try c.binary(.mul, gradient, gradient), beta)
      let root = try c.binary(
        .add, try c.unary(.sqrt, second), try c.number(try c.float("epsilon", default: 1e-6), like: x))
      // What early means lack.
      func missing(_ factor: Double) throws(Diagnostic) -> ValueID {
        let power = try c.binary(.pow, try c.number(factor, like: x), try c.cast(count, to: try c.element(x)))
        return try c.binary(.sub, one, power)
      }
      let adjusted = try c.binary(
        .div, try c.binary(.mul, try c.rate(like: x), try c.unary(.sqrt, try missing(beta))), try missing(alpha))
      let isLater = try c.compare(.greater, count, try c.scalar(0, .i64))
      let rate = try c.select(isLater, adjusted, try c.rate(like: x))
      var result = try c.binary(.sub, x, try c.binary(.div, try c.binary(.mul, rate, first), root))
      let factor = try c.float("norm_coefficient_post", default: 0)
      if factor != 0 { result = try c.binary(.mul, try c.number(1 - factor, like: x), result) }
      return [result, first, second]
    }
  }
}

extension ONNXNodeContext {
  /// `step` of each tensor: its value, the number of the step, and the rest of the `parts` inputs that belong to it.
  /// Inputs and results come part by part.
  fileprivate func steps(
    parts: Int, _ step: (ValueID, ValueID, [ValueID]) throws(Diagnostic) -> [ValueID]
  ) throws(Diagnostic) -> [ValueID] {
    let inputs = try allInputs()
    let count = (inputs.count - 2) / parts
    guard inputs.count == 2 + count * parts else {
      throw .invalid("\(inputs.count - 2) tensors do not divide into \(parts) an optimized one")
    }
    let number = try cast(try reshape(inputs[1], []), to: .i64)
    var results = Array(repeating: [ValueID](), count: parts - 1)
    for tensor in 0..<count {
      let own = (0..<parts).map { inputs[2 + $0 * count + tensor] }
      for (part, value) in try step(own[0], number, Array(own.dropFirst())).enumerated() { results[part].append(value) }
    }
    return Array(results.joined())
  }

  fileprivate func rate(like x: ValueID) throws(Diagnostic) -> ValueID {
    try cast(try reshape(try input(0), []), to: try element(x))
  }

  /// The gradient with that of the squared length.
  fileprivate func regularized(_ x: ValueID, _ gradient: ValueID) throws(Diagnostic) -> ValueID {
    let factor = try float("norm_coefficient", default: 0)
    return factor == 0 ? gradient : try binary(.add, try binary(.mul, try number(factor, like: x), x), gradient)
  }
}

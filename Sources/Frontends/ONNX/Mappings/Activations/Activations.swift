import IR
import Support

extension ONNXMapping {
  static let activations: [ONNXMapping] = [
    leakyRelu, parametricRelu, clipByAttributes, clip, hardSigmoid, hardSwish, gelu, microsoftGelu, softplus, softsign,
    elu, selu, celu, thresholdedRelu, shrink, mish, swish, softmax, flatSoftmax, logSoftmax, flatLogSoftmax,
    swiGLU, likelihoodLoss, crossEntropyLoss,
  ]

  static let leakyRelu = ONNXMapping(
    ["LeakyRelu"], 6...newest, inputs: 1...1, attributes: ["alpha"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let scaled = try c.binary(.mul, x, try c.number(try c.float("alpha", default: 0.01), like: x))
    return [try c.select(try c.compare(.less, x, try c.number(0, like: x)), scaled, x)]
  }

  static let parametricRelu = ONNXMapping(["PRelu"], 7...newest, inputs: 2...2) { c throws(Diagnostic) in
    let x = try c.input(0)
    let scaled = try c.binary(.mul, x, try c.input(1))
    return [try c.select(try c.compare(.less, x, try c.number(0, like: x)), scaled, x)]
  }

  static let hardSigmoid = ONNXMapping(
    ["HardSigmoid"], 6...newest, inputs: 1...1, attributes: ["alpha", "beta"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    return [try c.hardSigmoid(x, try c.float("alpha", default: 0.2), try c.float("beta", default: 0.5))]
  }

  static let hardSwish = ONNXMapping(["HardSwish"], 14...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.unary(.hardSwish, try c.input(0))]
  }

  static let softsign = ONNXMapping(["Softsign"], 1...newest, inputs: 1...1) { c throws(Diagnostic) in
    let x = try c.input(0)
    return [try c.binary(.div, x, try c.binary(.add, try c.unary(.abs, x), try c.number(1, like: x)))]
  }

  static let thresholdedRelu = ONNXMapping(
    ["ThresholdedRelu"], 10...newest, inputs: 1...1, attributes: ["alpha"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let passes = try c.compare(.greater, x, try c.number(try c.float("alpha", default: 1), like: x))
    return [try c.select(passes, x, try c.number(0, like: x))]
  }

  /// `Shrink`: zero between the thresholds, moved towards zero outside of them.
  static let shrink = ONNXMapping(
    ["Shrink"], 9...newest, inputs: 1...1, attributes: ["lambd", "bias"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let (threshold, bias) = (try c.float("lambd", default: 0.5), try c.number(try c.float("bias", default: 0), like: x))
    let below = try c.compare(.less, x, try c.number(-threshold, like: x))
    let above = try c.compare(.greater, x, try c.number(threshold, like: x))
    let inner = try c.select(above, try c.binary(.sub, x, bias), try c.number(0, like: x))
    return [try c.select(below, try c.binary(.add, x, bias), inner)]
  }

  static let mish = ONNXMapping(["Mish"], 18...newest, inputs: 1...1) { c throws(Diagnostic) in
    let x = try c.input(0)
    return [try c.binary(.mul, x, try c.unary(.tanh, try c.softplus(x)))]
  }

  static let swish = ONNXMapping(["Swish"], 24...newest, inputs: 1...1, attributes: ["alpha"]) { c throws(Diagnostic) in
    [try c.swish(try c.input(0))]
  }

  static let swiGLU = ONNXMapping(["SwiGLU"], 28...newest, inputs: 2...2, attributes: ["alpha"]) {
    c throws(Diagnostic) in
    [try c.binary(.mul, try c.swish(try c.input(0)), try c.input(1))]
  }

  static let softplus = ONNXMapping(["Softplus"], 1...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.softplus(try c.input(0))]
  }
}

extension ONNXNodeContext {
  func hardSigmoid(_ x: ValueID, _ alpha: Double, _ beta: Double) throws(Diagnostic) -> ValueID {
    let line = try binary(.add, try binary(.mul, x, try number(alpha, like: x)), try number(beta, like: x))
    return try binary(.minimum, try binary(.maximum, line, try number(0, like: x)), try number(1, like: x))
  }

  /// `x sigmoid(alpha x)`
  func swish(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let alpha = try float("alpha", default: 1)
    let scaled = alpha == 1 ? x : try binary(.mul, x, try number(alpha, like: x))
    return try binary(.mul, x, try unary(.sigmoid, scaled))
  }

  /// `log(1 + exp(x))`, written so that no exponential overflows.
  func softplus(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let small = try unary(.exp, try unary(.neg, try unary(.abs, x)))
    return try binary(.add, try unary(.relu, x), try unary(.log1p, small))
  }
}

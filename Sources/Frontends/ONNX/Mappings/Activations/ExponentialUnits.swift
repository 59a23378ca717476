import IR
import Support

extension ONNXMapping {
  static let elu = ONNXMapping(["Elu"], 6...newest, inputs: 1...1, attributes: ["alpha"]) { c throws(Diagnostic) in
    [try c.exponentialUnit(try c.input(0), alpha: try c.float("alpha", default: 1), divisor: 1, outer: 1)]
  }

  static let selu = ONNXMapping(
    ["Selu"], 6...newest, inputs: 1...1, attributes: ["alpha", "gamma"]
  ) { c throws(Diagnostic) in
    let (alpha, gamma) = (try c.float("alpha", default: 1.67326319), try c.float("gamma", default: 1.05070102))
    return [try c.exponentialUnit(try c.input(0), alpha: alpha, divisor: 1, outer: gamma)]
  }

  static let celu = ONNXMapping(["Celu"], 12...newest, inputs: 1...1, attributes: ["alpha"]) { c throws(Diagnostic) in
    let alpha = try c.float("alpha", default: 1)
    return [try c.exponentialUnit(try c.input(0), alpha: alpha, divisor: alpha, outer: 1)]
  }
}

extension ONNXNodeContext {
  /// `outer * (x < 0 ? alpha * (exp(x / divisor) - 1) : x)`
  func exponentialUnit(
    _ x: ValueID, alpha: Double, divisor: Double, outer: Double
  ) throws(Diagnostic) -> ValueID {
    let exponent = divisor == 1 ? x : try binary(.div, x, try number(divisor, like: x))
    let power = try unary(.expm1, exponent)
    let below = alpha == 1 ? power : try binary(.mul, power, try number(alpha, like: x))
    let unit = try select(try compare(.less, x, try number(0, like: x)), below, x)
    return outer == 1 ? unit : try binary(.mul, unit, try number(outer, like: x))
  }
}

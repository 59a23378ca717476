import IR
import Support

extension ONNXMapping {
  /// `Mod`: with the divisor's sign, or with `fmod` with the dividend's, as in C.
  static let modulo = ONNXMapping(["Mod"], 10...newest, inputs: 2...2, attributes: ["fmod"]) { c throws(Diagnostic) in
    let (a, b) = (try c.input(0), try c.input(1))
    guard try c.flag("fmod", default: false) else { return [try c.binary(.mod, a, b)] }
    guard try c.element(a).isSigned else { return [try c.binary(.mod, a, b)] }
    // Remainders of magnitudes are exact and not negative; the sign is the dividend's.
    let magnitude = try c.binary(.mod, try c.unary(.abs, a), try c.unary(.abs, b))
    let isNegative = try c.compare(.less, a, try c.number(0, like: a))
    return [try c.select(isNegative, try c.unary(.neg, magnitude), magnitude)]
  }
}

import IR
import Support

extension ONNXMapping {
  /// `Mod`: with the divisor's sign, or with `fmod` with the dividend's, as in C.
  static let modulo = ONNXMapping(["Mod"], 10...newest, inputs: 2...2, attributes: ["fmod"]) { c throws(Diagnostic) in
    let (a, b) = (try c.input(0), try c.input(1))
    return [try c.binary(try c.flag("fmod", default: false) ? .rem : .mod, a, b)]
  }
}

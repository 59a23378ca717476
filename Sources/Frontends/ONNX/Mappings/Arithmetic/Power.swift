import IR
import Support

extension ONNXMapping {
  /// `Pow`: the result has the type of the base, whatever the exponent's.
  static let power = ONNXMapping(["Pow"], 7...newest, inputs: 2...2) { c throws(Diagnostic) in
    let (x, exponent) = (try c.input(0), try c.input(1))
    let (base, power) = (try c.element(x), try c.element(exponent))
    if base == power { return [try c.binary(.pow, x, exponent)] }
    if base.isFloat || !power.isFloat { return [try c.binary(.pow, x, try c.cast(exponent, to: base))] }
    // An integer to the power of a real number: computed as real numbers, then cut.
    let real = try c.binary(.pow, try c.cast(x, to: .f64), try c.cast(exponent, to: .f64))
    return [try c.cast(real, to: base)]
  }
}

/// The activations that multiply an argument by what grows from zero to one with it.
///
/// Their results come from sums of ones, so errors count against the argument: what is below 2^-126 of it is zero.
extension VectorMath {
  /// `x sigmoid(x)`
  public func silu(_ x: LoopValue) -> LoopValue { wide(x) { gated($0, by: $0) } }

  /// `x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3))`
  public func geluTanh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let slope = 2 * (2 / Double.pi).squareRoot()
      let factor = multiplyAdd(mul(x, x), 0.044715 * slope, constant(slope, x))
      return gated(x, by: mul(x, factor))
    }
  }

  /// `x sigmoid(gate)`, for a gate with the sign of `x`.
  private func gated(_ x: LoopValue, by gate: LoopValue) -> LoopValue {
    let power = expOfNonPositive(builder.unary(.neg, magnitude(gate)))
    let numerator = select(compare(gate, .lt, 0), mul(x, power), x)
    return div(numerator, add(constant(1, x), power))
  }

  /// `x` times the integral of the normal distribution up to `x`, which below zero is exp(-x^2 / 2 + q(|x|)).
  public func gelu(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      if shape(x).isDouble {
        let integral = add(erf(scale(x, 0.5.squareRoot())), constant(1, x))
        return mul(x, scale(integral, 0.5))
      }
      let positive = magnitude(x)
      // Beyond this the other term decides alone, down to zero.
      let q = polynomial(builder.min(constant(5.6, x), positive), Self.geluSingle)
      let tail = expOfNonPositive(multiplyAdd(scale(positive, -0.5), positive, q))
      return mul(x, select(compare(x, .lt, 0), tail, sub(constant(1, x), tail)))
    }
  }

  /// `x min(max(x + 3, 0), 6) / 6`
  public func hardSwish(_ x: LoopValue) -> LoopValue {
    wide(x) { x in mul(x, scale(clamp(add(x, constant(3, x)), 0, 6), 1.0 / 6)) }
  }
}

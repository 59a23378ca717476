/// erf: a polynomial up to one; from there 1 - exp(-x^2 + q(|x|)), since the logarithm of erfc is smooth.
extension VectorMath {
  public func erf(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let double = shape(x).isDouble
      let z = mul(x, x)
      let near = multiplyAdd(x, polynomial(z, double ? Self.erfDouble : Self.erfSingle), x)

      // The result is one from here on.
      let limited = builder.min(constant(double ? 6 : 4, x), magnitude(x))
      let centered = sub(limited, constant(double ? 3 : 2, x))
      let q = polynomial(centered, double ? Self.erfcDouble : Self.erfcSingle)
      let complement = exp(multiplyAdd(builder.unary(.neg, limited), limited, q))
      let far = withSign(of: x, sub(constant(1, x), complement))
      return select(builder.compare(.lt, magnitude(x), constant(1, x)), near, far)
    }
  }
}

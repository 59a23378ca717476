/// sinh and cosh: a quarter of exp(|x|) as a sum of two, its inverse subtracted or added, the result doubled.
extension VectorMath {
  public func sinh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let p = magnitude(x)
      let z = mul(p, p)
      let q = polynomial(z, shape(x).isDouble ? Self.sinhDouble : Self.sinhSingle)
      let near = multiplyAdd(mul(z, p), q, p)
      let (growing, falling) = exponentialParts(p)
      let (high, low) = fastTwoSum(growing.high, builder.unary(.neg, falling))
      let half = add(high, add(low, growing.low))
      return withSign(of: x, select(compare(p, .lt, 1), near, add(half, half)))
    }
  }

  public func cosh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let (growing, falling) = exponentialParts(magnitude(x))
      let (high, low) = fastTwoSum(growing.high, falling)
      let half = add(high, add(low, growing.low))
      return add(half, half)
    }
  }

  /// exp(x) / 4 and exp(-x) / 4 for x >= 0.
  private func exponentialParts(_ x: LoopValue) -> (growing: Pair, falling: LoopValue) {
    // Beyond this four times the first overflows, before this it does not.
    let limited = builder.min(constant(shape(x).isDouble ? 710.6 : 89.5, x), x)
    let (n, r, rest) = reduceByLogOfTwoExactly(limited)
    let (high, low) = exponentialLessOne(r, rest)
    let sum = fastTwoSum(constant(1, x), high)
    let quarter = powerOfTwo(sub(n, integer(2, n)), shape(x))
    let growing = (mul(quarter, sum.high), mul(quarter, add(sum.low, low)))
    return (growing, div(constant(0.0625, x), growing.0))
  }
}

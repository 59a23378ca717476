/// log1p and what comes down to it: the inverse hyperbolic functions, whose argument 1 + a is a sum of two.
extension VectorMath {
  /// log(1 + x) without loss near zero.
  public func log1p(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let value = logarithm(ofOnePlus: x)
      let finite = logarithmSpecials(of: add(x, constant(1, x)), value)
      return select(compare(magnitude(x), .lt, 2 * shape(x).leastNormal), x, finite)
    }
  }

  /// With the sign of x, log(1 + a) for a = |x| + (sqrt(x^2 + 1) - 1).
  public func asinh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let p = magnitude(x)
      let limited = builder.min(constant(doubledLimit(x), x), p)
      let one = constant(1, x)
      let (square, error) = twoProduct(limited, limited)
      let (sum, lost) = twoSum(one, square)
      let root = root((sum, add(lost, error)))
      let less = fastTwoSum(root.high, constant(-1, x))
      let total = twoSum(limited, less.high)
      let a = fastTwoSum(total.high, add(total.low, add(less.low, root.low)))
      let value = logarithm(ofOnePlus: a.high, a.low, orTwice: p)
      // x - x^3 / 6 where the root has nothing to add.
      let near = multiplyAdd(mul(mul(p, p), p), -1.0 / 6, p)
      let isNear = compare(p, .lt, shape(x).isDouble ? 0x1p-26 : 0x1p-11)
      return withSign(of: x, select(compare(p, .eq, .infinity), p, select(isNear, near, value)))
    }
  }

  /// log(1 + a) with t = x - 1 and a = t + sqrt(t (t + 2)).
  public func acosh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let limited = builder.min(constant(doubledLimit(x), x), x)
      let t = twoSum(limited, constant(-1, x))
      let next = twoSum(t.high, constant(2, x))
      let root = root(product(t, (next.high, add(next.low, t.low))))
      let total = twoSum(root.high, t.high)
      let a = fastTwoSum(total.high, add(total.low, add(root.low, t.low)))
      let value = logarithm(ofOnePlus: a.high, a.low, orTwice: x)
      let known = select(compare(x, .eq, .infinity), x, value)
      return select(compare(x, .lt, 1), constant(.nan, x), known)
    }
  }

  /// Half of log(1 + a) with a = 2 |x| / (1 - |x|).
  public func atanh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let p = magnitude(x)
      let below = fastTwoSum(constant(1, x), builder.unary(.neg, p))
      let a = quotientPair((add(p, p), constant(0, x)), below)
      let value = scale(logarithm(ofOnePlus: a.high, a.low), 0.5)
      // x + x^3 / 3 where the quotient has nothing to add.
      let near = multiplyAdd(mul(mul(p, p), p), 1.0 / 3, p)
      let within = select(compare(p, .lt, shape(x).isDouble ? 0x1p-27 : 0x1p-12), near, value)
      let bounded = select(compare(p, .eq, 1), constant(.infinity, x), within)
      return withSign(of: x, select(compare(p, .gt, 1), constant(.nan, x), bounded))
    }
  }

  /// From here on asinh and acosh are log(2 x).
  private func doubledLimit(_ x: LoopValue) -> Double { shape(x).isDouble ? 0x1p28 : 0x1p13 }

  /// log(1 + a) for a > -1, or log(2 x) where x is given and beyond `doubledLimit`.
  private func logarithm(
    ofOnePlus a: LoopValue, _ low: LoopValue? = nil, orTwice x: LoopValue? = nil
  ) -> LoopValue {
    let zero = constant(0, a)
    var (u, lost) = twoSum(constant(1, zero), a)
    if let low { lost = add(lost, low) }
    let isDoubled = x.map { compare($0, .gt, doubledLimit(zero)) }
    if let x, let isDoubled {
      u = select(isDoubled, x, u)
      lost = select(isDoubled, zero, lost)
    }
    var (k, m) = split(u)
    let isNear = builder.compare(.eq, k, integer(0, k))
    // What 1 + a has lost, scaled as m is; where it is far below the last bit the exponent does not matter.
    let least = integer(1 - shape(zero).bias, k)
    let down = powerOfTwo(builder.max(sub(integer(0, k), k), least), shape(zero))
    let far = multiplyAdd(lost, down, sub(m, constant(1, m)))
    let rest = low.map { select(isNear, div($0, u), zero) }
    if let isDoubled { k = select(isDoubled, add(k, integer(1, k)), k) }
    let whole = builder.convert(.signedToFloat, k, to: builder.type(zero))
    return logarithm(select(isNear, a, far), whole, rest: rest)
  }
}

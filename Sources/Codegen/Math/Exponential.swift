/// exp and its relatives: x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial for exp(r) - 1 and an exponent of n.
extension VectorMath {
  public func exp(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      // Beyond these the result is zero or infinity anyway.
      let limited = shape(x).isDouble ? clamp(x, -746, 710) : clamp(x, -104, 89)
      let (n, r) = reduceByLogOfTwo(limited)
      let value = add(exponentialLessOne(r), constant(1, x))
      return scale(value, byPowerOfTwo: n)
    }
  }

  /// exp(x) - 1 without cancellation near zero.
  public func expm1(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let limited = shape(x).isDouble ? clamp(x, -40, 710) : clamp(x, -20, 89)
      let (n, r) = reduceByLogOfTwo(limited)
      // Half of the result, so that 2^n of the greatest results is still a number.
      let half = powerOfTwo(sub(n, integer(1, n)), shape(x))
      let value = multiplyAdd(half, exponentialLessOne(r), sub(half, constant(0.5, x)))
      // Minus zero, too, is its own result.
      return select(compare(x, .eq, 0), x, add(value, value))
    }
  }

  /// n and r with x = n ln 2 + r.
  func reduceByLogOfTwo(_ x: LoopValue) -> (n: LoopValue, r: LoopValue) {
    let (whole, n) = nearest(x, times: 1.4426950408889634)
    // The high part of ln 2 ends in enough zeros that its product with n is exact.
    let high = shape(x).isDouble ? 0x1.62e42fefa38p-1 : 0x1.62e4p-1
    let low = shape(x).isDouble ? 0x1.ef35793c7673p-45 : 0x1.7f7d1cp-20
    return (n, multiplyAdd(whole, -low, multiplyAdd(whole, -high, x)))
  }

  /// exp(r) - 1 for |r| <= ln 2 / 2: r + r^2 q(r).
  func exponentialLessOne(_ r: LoopValue) -> LoopValue {
    let q = polynomial(r, shape(r).isDouble ? Self.expm1Double : Self.expm1Single)
    return multiplyAdd(mul(r, r), q, r)
  }

}

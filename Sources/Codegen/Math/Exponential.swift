/// exp and its relatives: x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial for exp(r) - 1 and an exponent of n.
extension VectorMath {
  public func exp(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      // Beyond these the result is zero or infinity anyway.
      exponential(shape(x).isDouble ? clamp(x, -746, 710) : clamp(x, -104, 89))
    }
  }

  /// exp(x) where x is known to be zero or less, or NaN; zero where 2^n of the nearest n is no normal number.
  ///
  /// What is summed up to weights of at most one does not miss those, and 2^n takes a shift instead of seven steps.
  public func expOfNonPositive(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let shape = shape(x)
      // Just enough for an n of which nothing is left once the exponent's bias is added.
      let limited = builder.max(constant(shape.isDouble ? -709.3 : -88.1, x), x)
      // The bias is in the constant that pushes n into the low bits, so n comes out as an exponent.
      let magic = constant(shape.rounder + Double(shape.bias), x)
      let pushed = multiplyAdd(limited, Self.inverseLogOfTwo, magic)
      let exponent = builder.binary(.shl, bits(pushed), integer(shape.mantissaBits, bits(pushed)))
      let r = remainder(of: limited, less: sub(pushed, magic))
      let q = polynomial(r, shape.isDouble ? Self.expDouble : Self.expSingle)
      let power = add(multiplyAdd(mul(r, r), q, r), constant(1, x))
      return mul(power, float(bits: exponent))
    }
  }

  private func exponential(_ limited: LoopValue) -> LoopValue {
    let (n, r) = reduceByLogOfTwo(limited)
    return scale(add(exponentialLessOne(r), constant(1, limited)), byPowerOfTwo: n)
  }

  /// exp(x) - 1 without cancellation near zero.
  public func expm1(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let limited = shape(x).isDouble ? clamp(x, -40, 710) : clamp(x, -20, 89)
      let (n, r, rest) = reduceByLogOfTwoExactly(limited)
      let (high, low) = exponentialLessOne(r, rest)
      // Half of the result, so that 2^n of the greatest results is still a number.
      let half = powerOfTwo(sub(n, integer(1, n)), shape(x))
      let value = add(sub(half, constant(0.5, x)), mul(half, high))
      let error = sub(mul(half, high), sub(value, sub(half, constant(0.5, x))))
      let sum = add(value, multiplyAdd(half, low, error))
      // The halves of subnormals lose their last bit; they and zeros are their own result.
      let isTiny = compare(magnitude(x), .lt, 2 * shape(x).leastNormal)
      return select(isTiny, x, add(sum, sum))
    }
  }

  /// 2^x: the whole part of x is the exponent, the rest times ln 2 goes to exp.
  public func exp2(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let limited = shape(x).isDouble ? clamp(x, -1080, 1025) : clamp(x, -152, 129)
      let (whole, n) = nearestInLowBits(limited, times: 1)
      let fraction = sub(limited, whole)
      let (logHigh, logLow) =
        shape(x).isDouble ? (0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56) : (0x1.62e43p-1, -0x1.05c61p-29)
      let (r, lost) = twoProduct(fraction, constant(logHigh, x))
      let (high, low) = exponentialLessOne(r, multiplyAdd(fraction, logLow, lost))
      return scale(add(constant(1, x), add(high, low)), byPowerOfTwo: n)
    }
  }

  /// n and r with x = n ln 2 + r. Only the low bits of n count, as many as an exponent and one more:
  /// what is above them saves a subtraction and its constant, and no power of two looks there.
  func reduceByLogOfTwo(_ x: LoopValue) -> (n: LoopValue, r: LoopValue) {
    let (whole, n) = nearestInLowBits(x, times: Self.inverseLogOfTwo)
    return (n, remainder(of: x, less: whole))
  }

  /// x - n ln 2.
  private func remainder(of x: LoopValue, less n: LoopValue) -> LoopValue {
    multiplyAdd(n, -lowLogOfTwo(x), multiplyAdd(n, -highLogOfTwo(x), x))
  }

  /// The same, with n as a number and what r lost in rounding.
  func reduceByLogOfTwoExactly(_ x: LoopValue) -> (n: LoopValue, r: LoopValue, rest: LoopValue) {
    let (whole, n) = nearest(x, times: Self.inverseLogOfTwo)
    let first = multiplyAdd(whole, -highLogOfTwo(x), x)
    let r = multiplyAdd(whole, -lowLogOfTwo(x), first)
    return (n, r, multiplyAdd(whole, -lowLogOfTwo(x), sub(first, r)))
  }

  private static let inverseLogOfTwo = 1.4426950408889634

  /// ln 2 with enough zeros at the end that its product with n is exact.
  private func highLogOfTwo(_ x: LoopValue) -> Double { shape(x).isDouble ? 0x1.62e42fefa38p-1 : 0x1.62e4p-1 }

  /// ln 2 less its high part.
  func lowLogOfTwo(_ x: LoopValue) -> Double { shape(x).isDouble ? 0x1.ef35793c7673p-45 : 0x1.7f7d1cp-20 }

  /// exp(r) - 1 for |r| <= ln 2 / 2: r + r^2 q(r).
  func exponentialLessOne(_ r: LoopValue) -> LoopValue {
    let q = polynomial(r, shape(r).isDouble ? Self.expm1Double : Self.expm1Single)
    return multiplyAdd(mul(r, r), q, r)
  }

  /// exp(r + rest) - 1 as a sum of two, for a `rest` below the last bit of r.
  func exponentialLessOne(_ r: LoopValue, _ rest: LoopValue) -> (high: LoopValue, low: LoopValue) {
    let q = polynomial(r, shape(r).isDouble ? Self.expm1Double : Self.expm1Single)
    let tail = multiplyAdd(mul(r, r), q, rest)
    let high = add(r, tail)
    return (high, sub(tail, sub(high, r)))
  }
}

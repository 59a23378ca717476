/// Numbers as unevaluated sums of two floats, for where one float's digits do not do.
typealias Pair = (high: LoopValue, low: LoopValue)

extension VectorMath {
  /// a + b and what the addition lost, whichever is greater.
  func twoSum(_ a: LoopValue, _ b: LoopValue) -> Pair {
    let sum = add(a, b)
    let bPart = sub(sum, a)
    return (sum, add(sub(a, sub(sum, bPart)), sub(b, bPart)))
  }

  /// The same for |a| >= |b| or a = 0.
  func fastTwoSum(_ a: LoopValue, _ b: LoopValue) -> Pair {
    let sum = add(a, b)
    return (sum, sub(b, sub(sum, a)))
  }

  /// a * b and what the multiplication lost.
  func twoProduct(_ a: LoopValue, _ b: LoopValue) -> Pair {
    let product = mul(a, b)
    if fused { return (product, builder.fma(a, b, builder.unary(.neg, product))) }
    let (aHigh, aLow) = halves(a)
    let (bHigh, bLow) = halves(b)
    let first = sub(mul(aHigh, bHigh), product)
    let second = add(first, mul(aHigh, bLow))
    return (product, add(add(second, mul(aLow, bHigh)), mul(aLow, bLow)))
  }

  /// a as a sum of two with half as many digits each: the upper half of the mantissa is cut off in the bits.
  private func halves(_ a: LoopValue) -> Pair {
    let shape = shape(a)
    let mask = shape.isDouble ? -1 << 27 : -1 << 12
    let high = float(bits: builder.binary(.and, bits(a), integer(mask, bits(a))))
    return (high, sub(a, high))
  }

  func product(_ a: Pair, _ b: Pair) -> Pair {
    let (high, error) = twoProduct(a.high, b.high)
    let low = multiplyAdd(a.high, b.low, multiplyAdd(a.low, b.high, error))
    return fastTwoSum(high, low)
  }

  /// a / b, rounded.
  func quotient(_ a: Pair, _ b: Pair) -> LoopValue {
    let (high, low) = quotientPair(a, b)
    return add(high, low)
  }

  func quotientPair(_ a: Pair, _ b: Pair) -> Pair {
    let reciprocal = div(constant(1, a.high), b.high)
    let estimate = mul(a.high, reciprocal)
    let (back, error) = twoProduct(estimate, b.high)
    let remainder = add(sub(sub(a.high, back), error), sub(a.low, mul(estimate, b.low)))
    return fastTwoSum(estimate, mul(remainder, reciprocal))
  }
}

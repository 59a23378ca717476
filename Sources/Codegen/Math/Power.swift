/// pow(x, y) = exp(y log|x|), the logarithm and the product as sums of two floats, with C99's special cases.
extension VectorMath {
  public func pow(_ x: LoopValue, _ y: LoopValue) -> LoopValue {
    let type = builder.type(x)
    guard type.scalar == .f16 || type.scalar == .bf16 else { return powWide(x, y) }
    let wide = type.with(.f32)
    let result = powWide(
      builder.convert(.floatExtend, x, to: wide), builder.convert(.floatExtend, y, to: wide))
    return builder.convert(.floatTruncate, result, to: type)
  }

  private func powWide(_ x: LoopValue, _ y: LoopValue) -> LoopValue {
    let base = magnitude(x)
    // Beyond this every base but one overflows or vanishes.
    let bound = shape(x).isDouble ? 0x1p65 : 0x1p40
    let exponent = clamp(y, -bound, bound)
    let (high, low) = logarithmPair(base)
    let (product, error) = twoProduct(exponent, high)
    let power = exponential((product, multiplyAdd(exponent, low, error)))
    return powerSpecials(x, y, power)
  }

  /// log of a positive finite number, with a relative error of some units of the low part.
  private func logarithmPair(_ x: LoopValue) -> Pair {
    let (k, m) = split(x)
    let one = constant(1, x)
    // log(m) = 2 s + 2/3 s^3 + s^5 q(s^2) with s = (m - 1) / (m + 1).
    let s = quotientPair((sub(m, one), constant(0, x)), twoSum(m, one))
    let square = product(s, s)
    let q = polynomial(square.high, shape(x).isDouble ? Self.logpowDouble : Self.logpowSingle)
    let thirds = shape(x).isDouble ? (0x1.5555555555555p-1, 0x1.5555555555555p-55) : (0x1.555556p-1, -0x1.555556p-26)
    let inner = fastTwoSum(constant(thirds.0, x), mul(square.high, q))
    let factor = (inner.high, add(inner.low, constant(thirds.1, x)))
    let tail = product(product(s, square), factor)
    let twice = fastTwoSum(add(s.high, s.high), tail.high)
    let ofM = (twice.high, add(twice.low, add(add(s.low, s.low), tail.low)))

    let whole = builder.convert(.signedToFloat, k, to: builder.type(x))
    let (sum, error) = fastTwoSum(scale(whole, shape(x).isDouble ? 0x1.62e42fefa38p-1 : 0x1.62e4p-1), ofM.0)
    return fastTwoSum(sum, add(error, multiplyAdd(whole, lowLogOfTwo(x), ofM.1)))
  }

  /// exp of a sum of two.
  private func exponential(_ x: Pair) -> LoopValue {
    let (least, greatest) = shape(x.high).isDouble ? (-746.0, 710.0) : (-104.0, 89.0)
    let limited = clamp(x.high, least, greatest)
    let isWithin = builder.compare(.eq, limited, x.high)
    let low = select(isWithin, x.low, constant(0, limited))
    let (n, first, firstRest) = reduceByLogOfTwoExactly(limited)
    let (r, rest) = fastTwoSum(first, add(firstRest, low))
    let (high, _) = exponentialLessOne(r, rest)
    return scale(add(high, constant(1, r)), byPowerOfTwo: n)
  }

  private func powerSpecials(_ x: LoopValue, _ y: LoopValue, _ power: LoopValue) -> LoopValue {
    let zero = constant(0, x)
    let base = magnitude(x)
    func both(_ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.binary(.and, a, b) }
    func either(_ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.binary(.or, a, b) }
    func isWhole(_ value: LoopValue) -> LoopValue {
      builder.compare(.eq, builder.unary(.trunc, value), value)
    }

    // Zero and infinity: one of them again.
    let isZero = compare(base, .eq, 0)
    let isExtreme = either(isZero, compare(base, .eq, .infinity))
    let vanishes = builder.binary(.xor, isZero, compare(y, .lt, 0))
    let extreme = select(vanishes, zero, constant(.infinity, x))
    var result = select(isExtreme, extreme, power)

    // Odd powers of what has a sign have it, too; other negative numbers only have whole powers.
    let isInteger = isWhole(y)
    let isEven = isWhole(scale(y, 0.5))
    let sign = builder.binary(.and, bits(x), integer(shape(x).signMask, bits(x)))
    let signed = float(bits: builder.binary(.xor, bits(result), sign))
    result = select(both(isInteger, select(isEven, builder.compare(.ne, zero, zero), isInteger)), signed, result)
    let isFractional = select(isInteger, builder.compare(.ne, zero, zero), builder.compare(.eq, zero, zero))
    let isNegative = both(compare(x, .lt, 0), compare(base, .lt, .infinity))
    result = select(both(isNegative, isFractional), constant(.nan, x), result)

    let isNaN = either(builder.compare(.ne, x, x), builder.compare(.ne, y, y))
    result = select(isNaN, constant(.nan, x), result)
    return select(either(compare(x, .eq, 1), compare(y, .eq, 0)), constant(1, x), result)
  }
}

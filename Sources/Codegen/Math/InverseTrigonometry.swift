/// asin and acos by the half angle beyond 1/2; atan of a quotient, turned by pi / 4 where that makes it small.
extension VectorMath {
  public func asin(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let arc = halfAngle(x)
      let far = complement(of: (scale(arc.high, 2), scale(arc.low, 2)), in: Self.halfPi(shape(x)))
      let near = add(arc.high, arc.low)
      return withSign(of: x, select(arc.isNear, near, add(far.high, far.low)))
    }
  }

  public func acos(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let arc = halfAngle(x)
      let sign = builder.binary(.and, bits(x), integer(shape(x).signMask, bits(x)))
      let low = float(bits: builder.binary(.xor, bits(arc.low), sign))
      let halfPi = Self.halfPi(shape(x))
      let near = complement(of: (x, low), in: halfPi)
      let twice = (scale(arc.high, 2), scale(arc.low, 2))
      let obtuse = complement(of: twice, in: halfPi.map { 2 * $0 })
      let isNegative = compare(x, .lt, 0)
      let far = select(isNegative, add(obtuse.high, obtuse.low), add(twice.0, twice.1))
      return select(arc.isNear, add(near.high, near.low), far)
    }
  }

  public func atan(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      // From here on the result is pi / 2 rounded.
      let p = builder.min(constant(0x1p60, x), magnitude(x))
      let one = constant(1, x)
      let isSteep = compare(p, .gt, 1)
      let arc = arcTangent(select(isSteep, one, p), select(isSteep, p, one))
      let turned = complement(of: arc, in: Self.halfPi(shape(x)))
      return withSign(of: x, select(isSteep, add(turned.high, turned.low), add(arc.high, arc.low)))
    }
  }

  /// The angle of the point (x, y), with C99's special cases.
  public func atan2(_ y: LoopValue, _ x: LoopValue) -> LoopValue {
    let type = builder.type(x)
    guard type.scalar == .f16 || type.scalar == .bf16 else { return angle(y, x) }
    let wide = type.with(.f32)
    let result = angle(builder.convert(.floatExtend, y, to: wide), builder.convert(.floatExtend, x, to: wide))
    return builder.convert(.floatTruncate, result, to: type)
  }

  private func angle(_ y: LoopValue, _ x: LoopValue) -> LoopValue {
    let (zero, one) = (constant(0, x), constant(1, x))
    let (width, height) = (magnitude(x), magnitude(y))
    let isSteep = builder.compare(.gt, height, width)
    var (short, long) = (select(isSteep, width, height), select(isSteep, height, width))
    // Of infinities only which they are counts; so of zeros.
    let isInfinite = compare(long, .eq, .infinity)
    let ratio = select(compare(short, .eq, .infinity), one, zero)
    short = select(isInfinite, ratio, short)
    long = select(builder.binary(.or, isInfinite, compare(long, .eq, 0)), one, long)
    // To where neither the reciprocal nor what a product loses is subnormal.
    let (least, up, greatest, down) =
      shape(x).isDouble ? (0x1p500, 0x1p500, 0x1p900, 0x1p-100) : (0x1p60, 0x1p60, 0x1p100, 0x1p-8)
    let small = select(compare(long, .lt, least), constant(up, x), one)
    let factor = select(compare(long, .gt, greatest), constant(down, x), small)
    var arc = arcTangent(mul(short, factor), mul(long, factor))
    let halfPi = Self.halfPi(shape(x))
    let steep = complement(of: arc, in: halfPi)
    arc = (select(isSteep, steep.high, arc.high), select(isSteep, steep.low, arc.low))
    let behind = complement(of: arc, in: halfPi.map { 2 * $0 })
    let isBehind = builder.compare(.lt, bits(x), integer(0, bits(x)))
    let value = select(isBehind, add(behind.high, behind.low), add(arc.high, arc.low))
    let isNaN = builder.binary(.or, builder.compare(.ne, x, x), builder.compare(.ne, y, y))
    return select(isNaN, constant(.nan, x), withSign(of: y, value))
  }

  /// The arc sine of |x| up to 1/2, of sqrt((1 - |x|) / 2) beyond: the root or |x| itself, and what is added to it.
  private func halfAngle(_ x: LoopValue) -> (high: LoopValue, low: LoopValue, isNear: LoopValue) {
    let p = magnitude(x)
    let isNear = compare(p, .le, 0.5)
    let half = scale(sub(constant(1, x), p), 0.5)
    let root = root((half, constant(0, x)))
    let z = select(isNear, mul(p, p), half)
    let s = select(isNear, p, root.high)
    let q = polynomial(z, shape(x).isDouble ? Self.asinDouble : Self.asinSingle)
    let tail = multiplyAdd(mul(s, z), q, select(isNear, constant(0, x), root.low))
    return (s, tail, isNear)
  }

  /// atan(short / long) for 0 <= short <= long, as a sum of two.
  private func arcTangent(_ short: LoopValue, _ long: LoopValue) -> Pair {
    let zero = constant(0, short)
    let isTurned = builder.compare(.gt, short, scale(long, 0.41421356237309503))
    let difference = fastTwoSum(builder.unary(.neg, long), short)
    let sum = fastTwoSum(long, short)
    let t = quotientPair(
      (select(isTurned, difference.high, short), select(isTurned, difference.low, zero)),
      (select(isTurned, sum.high, long), select(isTurned, sum.low, zero)))
    let z = mul(t.high, t.high)
    let q = polynomial(z, shape(short).isDouble ? Self.atanDouble : Self.atanSingle)
    let tail = multiplyAdd(mul(t.high, z), q, t.low)
    let quarterPi = Self.halfPi(shape(short)).map { select(isTurned, constant($0 / 2, short), zero) }
    let start = fastTwoSum(quarterPi[0], t.high)
    return fastTwoSum(start.high, add(start.low, add(tail, quarterPi[1])))
  }

  /// whole - x, for an x that is not greater than the whole.
  private func complement(of x: Pair, in whole: [Double]) -> Pair {
    let (high, low) = fastTwoSum(constant(whole[0], x.high), builder.unary(.neg, x.high))
    return fastTwoSum(high, add(low, sub(constant(whole[1], x.high), x.low)))
  }

  /// pi / 2 as a sum of two.
  private static func halfPi(_ shape: FloatShape) -> [Double] {
    shape.isDouble ? [0x1.921fb54442d18p0, 0x1.1a62633145c07p-54] : [0x1.921fb6p0, -0x1.777a5cp-25]
  }
}

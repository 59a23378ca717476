/// log: x = 2^k m with m between sqrt(1/2) and sqrt(2), then a polynomial in f = m - 1.
extension VectorMath {
  public func log(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let (k, m) = split(x)
      let f = sub(m, constant(1, x))
      let whole = builder.convert(.signedToFloat, k, to: builder.type(x))
      let value = shape(x).isDouble ? logarithmDouble(f, whole) : logarithmSingle(f, whole)
      return logarithmSpecials(of: x, value)
    }
  }

  /// k and m with x = 2^k m, 0.707 <= m < 1.414, for a positive x that is subnormal or normal.
  func split(_ x: LoopValue) -> (k: LoopValue, m: LoopValue) {
    let shape = shape(x)
    let isSmall = compare(x, .lt, shape.leastNormal)
    let raise = shape.mantissaBits + 1
    let raised = scale(x, shape.isDouble ? 0x1p53 : 0x1p24)
    let number = bits(select(isSmall, raised, x))
    let root = integer(shape.isDouble ? 0x3fe6_a09e_667f_3bcd : 0x3f35_04f3, number)
    let k = builder.binary(.shr, sub(number, root), integer(shape.mantissaBits, number))
    let m = float(bits: sub(number, builder.binary(.shl, k, integer(shape.mantissaBits, k))))
    let lowered = sub(k, integer(raise, k))
    return (select(isSmall, lowered, k), m)
  }

  /// What log is where it is not a number's logarithm: of zero, of negative numbers, of infinity and NaN.
  func logarithmSpecials(of x: LoopValue, _ value: LoopValue) -> LoopValue {
    let finite = select(compare(x, .lt, .infinity), value, x)
    let positive = select(compare(x, .lt, 0), constant(.nan, x), finite)
    return select(compare(x, .eq, 0), constant(-.infinity, x), positive)
  }

  /// log(1 + f) = f - f^2 / 2 + f^3 q(f).
  private func logarithmSingle(_ f: LoopValue, _ k: LoopValue) -> LoopValue {
    let square = mul(f, f)
    let tail = mul(mul(square, f), polynomial(f, Self.logSingle))
    let low = multiplyAdd(k, lowLogOfTwo(f), tail)
    let sum = add(f, multiplyAdd(square, -0.5, low))
    return multiplyAdd(k, 0x1.62e4p-1, sum)
  }

  /// log(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + s^2 q(s^2))) with s = f / (2 + f), which converges sooner.
  private func logarithmDouble(_ f: LoopValue, _ k: LoopValue) -> LoopValue {
    let s = div(f, add(f, constant(2, f)))
    let z = mul(s, s)
    let half = mul(scale(f, 0.5), f)
    let inner = multiplyAdd(z, polynomial(z, Self.logsDouble), half)
    let low = multiplyAdd(k, lowLogOfTwo(f), mul(s, inner))
    return multiplyAdd(k, 0x1.62e42fefa38p-1, sub(f, sub(half, low)))
  }
}

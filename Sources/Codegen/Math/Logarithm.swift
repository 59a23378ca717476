/// log: x = 2^k m with m between sqrt(1/2) and sqrt(2), then a polynomial in f = m - 1.
extension VectorMath {
  public func log(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let (k, m) = split(x)
      let f = sub(m, constant(1, x))
      let whole = builder.convert(.signedToFloat, k, to: builder.type(x))
      return logarithmSpecials(of: x, logarithm(f, whole))
    }
  }

  /// The logarithm to base 2: log(m) log2(e) as a sum of two, to which k is added.
  public func log2(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let (k, m) = split(x)
      let f = sub(m, constant(1, x))
      let (factor, factorLow) =
        shape(x).isDouble ? (0x1.71547652b82fep0, 0x1.777d0ffda0d24p-56) : (0x1.715476p0, 0x1.4ae0cp-26)
      let (product, error) = twoProduct(f, constant(factor, x))
      let (half, tail) = logarithmParts(f)
      let rest = multiplyAdd(sub(tail, half), factor, multiplyAdd(f, factorLow, error))
      let (high, low) = fastTwoSum(builder.convert(.signedToFloat, k, to: builder.type(x)), product)
      return logarithmSpecials(of: x, add(high, add(low, rest)))
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

  /// k ln 2 + log(1 + f) + rest, where `rest` is small beside f.
  func logarithm(_ f: LoopValue, _ k: LoopValue, rest: LoopValue? = nil) -> LoopValue {
    let (half, tail) = logarithmParts(f)
    let low = multiplyAdd(k, lowLogOfTwo(f), rest.map { add(tail, $0) } ?? tail)
    return multiplyAdd(k, shape(f).isDouble ? 0x1.62e42fefa38p-1 : 0x1.62e4p-1, add(f, sub(low, half)))
  }

  /// `half` and `tail` of log(1 + f) = f - half + tail, with half = f^2 / 2. In f32 the tail is f^3 q(f); in f64
  /// s (f^2 / 2 + s^2 q(s^2)) with s = f / (2 + f), which converges sooner.
  func logarithmParts(_ f: LoopValue) -> (half: LoopValue, tail: LoopValue) {
    let square = mul(f, f)
    let half = scale(square, 0.5)
    guard shape(f).isDouble else { return (half, mul(mul(square, f), polynomial(f, Self.logSingle))) }
    let s = div(f, add(f, constant(2, f)))
    let z = mul(s, s)
    return (half, mul(s, multiplyAdd(z, polynomial(z, Self.logsDouble), half)))
  }
}

/// tanh and the logistic function, which is half of it.
///
/// In f64 both are quotients of sums of two, for the roundings of numerator, denominator and quotient would add up to
/// more than two units. In f32, where activations spend their time, cheaper means keep them below that.
extension VectorMath {
  public func tanh(_ x: LoopValue) -> LoopValue {
    wide(x) { shape($0).isDouble ? tanhDouble($0) : tanhSingle($0) }
  }

  /// 1 / (1 + exp(-x)), as exp(-|x|) / (1 + exp(-|x|)) for negative x: small results keep their digits and nothing
  /// overflows.
  public func sigmoid(_ x: LoopValue) -> LoopValue {
    wide(x) { shape($0).isDouble ? sigmoidDouble($0) : sigmoidSingle($0) }
  }

  /// A polynomial near zero; else 1 - 2 / (exp(2|x|) + 1), where the quotient is at most a half.
  private func tanhSingle(_ x: LoopValue) -> LoopValue {
    let positive = magnitude(x)
    let z = mul(x, x)
    let near = multiplyAdd(mul(z, positive), polynomial(z, Self.tanhSingle), positive)
    let limited = builder.min(constant(10, x), positive)
    let (n, r) = reduceByLogOfTwo(add(limited, limited))
    let power = powerOfTwo(n, shape(x))
    let denominator = multiplyAdd(power, exponentialLessOne(r), add(power, constant(1, x)))
    let far = sub(constant(1, x), div(constant(2, x), denominator))
    return withSign(of: x, select(compare(positive, .lt, 0.55), near, far))
  }

  /// With e = exp(2|x|) - 1: e / (e + 2). The clamp is where the result has rounded to one.
  private func tanhDouble(_ x: LoopValue) -> LoopValue {
    let limited = builder.min(constant(20, x), magnitude(x))
    let (n, r, rest) = reduceByLogOfTwoExactly(add(limited, limited))
    let (high, low) = exponentialLessOne(r, rest)
    let power = powerOfTwo(n, shape(x))
    let (sum, error) = twoSum(sub(power, constant(1, x)), mul(power, high))
    let e = (sum, multiplyAdd(power, low, error))
    let (denominator, lost) = twoSum(e.0, constant(2, x))
    return withSign(of: x, quotient(e, (denominator, add(lost, e.1))))
  }

  private func sigmoidSingle(_ x: LoopValue) -> LoopValue {
    let limited = builder.max(constant(-104, x), builder.unary(.neg, magnitude(x)))
    let (n, r) = reduceByLogOfTwo(limited)
    let e = scale(add(exponentialLessOne(r), constant(1, x)), byPowerOfTwo: n)
    let one = constant(1, x)
    let denominator = add(one, e)
    let value = div(select(compare(x, .lt, 0), e, one), denominator)
    // What the denominator lost counts most where it is close to one; there 1 / (1 + lost) is 1 - lost.
    let lost = sub(e, sub(denominator, one))
    return multiplyAdd(builder.unary(.neg, value), lost, value)
  }

  private func sigmoidDouble(_ x: LoopValue) -> LoopValue {
    let shape = shape(x)
    let limited = builder.max(constant(-746, x), builder.unary(.neg, magnitude(x)))
    let (n, r, rest) = reduceByLogOfTwoExactly(limited)
    let (high, low) = exponentialLessOne(r, rest)
    let one = constant(1, x)
    let sum = add(one, high)
    let e = (sum, add(sub(high, sub(sum, one)), low))
    // Where the exponent is out of a power's range, the denominator is one.
    let power = powerOfTwo(builder.max(n, integer(1 - shape.bias, n)), shape)
    let scaled = mul(power, e.0)
    let denominator = add(one, scaled)
    let lost = sub(scaled, sub(denominator, one))
    let isNegative = compare(x, .lt, 0)
    let numerator = (select(isNegative, e.0, one), select(isNegative, e.1, constant(0, x)))
    let value = quotient(numerator, (denominator, multiplyAdd(power, e.1, lost)))
    return scale(value, byPowerOfTwo: select(isNegative, n, integer(0, n)))
  }
}

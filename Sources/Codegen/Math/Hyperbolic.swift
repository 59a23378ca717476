/// tanh and the logistic function, which is half of it.
extension VectorMath {
  /// With e = exp(2|x|) - 1: e / (e + 2). The clamp is where the result has rounded to one.
  public func tanh(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let limit = shape(x).isDouble ? 20.0 : 10.0
      let limited = builder.min(constant(limit, x), magnitude(x))
      let (n, r) = reduceByLogOfTwo(add(limited, limited))
      let power = powerOfTwo(n, shape(x))
      let e = multiplyAdd(power, exponentialLessOne(r), sub(power, constant(1, x)))
      return withSign(of: x, div(e, add(e, constant(2, x))))
    }
  }

  /// 1 / (1 + exp(-x)). Written with exp(-|x|), so that small results keep their digits and nothing overflows.
  public func sigmoid(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let e = exp(builder.unary(.neg, magnitude(x)))
      let one = constant(1, x)
      return div(select(compare(x, .lt, 0), e, one), add(one, e))
    }
  }
}

/// Roots and quotients, from the two operations that IEEE rounds correctly.
extension VectorMath {
  /// 1 / sqrt(x): infinity of zero (with its sign), NaN of negative numbers.
  public func rsqrt(_ x: LoopValue) -> LoopValue {
    wide(x) { div(constant(1, $0), builder.unary(.sqrt, $0)) }
  }

  public func reciprocal(_ x: LoopValue) -> LoopValue {
    wide(x) { div(constant(1, $0), $0) }
  }

  /// The square root of a sum of two that is not negative, as such a sum; zero of zero.
  func root(_ x: Pair) -> Pair {
    let root = builder.unary(.sqrt, x.high)
    let (square, error) = twoProduct(root, root)
    let rest = add(sub(sub(x.high, square), error), x.low)
    let twice = builder.max(constant(shape(root).leastNormal, root), add(root, root))
    return fastTwoSum(root, div(rest, twice))
  }
}

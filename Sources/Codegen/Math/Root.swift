/// Roots and quotients, from the two operations that IEEE rounds correctly.
extension VectorMath {
  /// 1 / sqrt(x): infinity of zero (with its sign), NaN of negative numbers.
  public func rsqrt(_ x: LoopValue) -> LoopValue {
    wide(x) { div(constant(1, $0), builder.unary(.sqrt, $0)) }
  }

  public func reciprocal(_ x: LoopValue) -> LoopValue {
    wide(x) { div(constant(1, $0), $0) }
  }
}

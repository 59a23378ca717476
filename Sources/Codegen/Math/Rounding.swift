/// Roundings that no machine has an instruction for.
extension VectorMath {
  /// To the nearest integer, halves away from zero; zeros keep their sign.
  public func roundAway(_ x: LoopValue) -> LoopValue {
    let type = builder.type(x)
    let whole = builder.unary(.trunc, x)
    // The rest is exact, where adding a half to x would round. Of infinity it is NaN, which is no reason to step.
    let rest = sub(x, whole)
    let up = select(compare(rest, .ge, 0.5), constant(1, x), builder.zero(type))
    let step = select(compare(rest, .le, -0.5), constant(-1, x), up)
    return select(compare(step, .eq, 0), whole, add(whole, step))
  }
}

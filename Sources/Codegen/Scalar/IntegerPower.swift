import Support

extension KernelScope {
  /// `base` to the `exponent` by squaring, as many rounds as the greatest exponent of the lanes has bits. A negative
  /// exponent gives the real result rounded towards zero, and fails for a base of zero.
  func integerPower(_ base: LoopValue, _ exponent: LoopValue, signed: Bool) -> LoopValue {
    let type = build.type(base)
    let (zero, one) = (build.zero(type), build.integer(1, type))
    func any(_ lanes: LoopValue) -> LoopValue { type.isVector ? build.reduce(.or, lanes) : lanes }
    var rest = exponent
    var vanishes: LoopValue?
    if signed {
      let isNegative = build.compare(.lt, exponent, zero)
      let divides = build.binary(.and, isNegative, build.compare(.eq, base, zero))
      build.check(
        build.binary(.xor, any(divides), build.integer(1, .bool)), status: KernelStatus.divisionByZero)
      // Of 1 and -1 only the exponent's parity matters; of all others nothing is left.
      rest = build.select(isNegative, build.binary(.and, exponent, one), exponent)
      let isUnit = build.binary(
        .or, build.compare(.eq, base, one), build.compare(.eq, base, build.integer(-1, type)))
      let isOther = build.binary(.xor, isUnit, build.compare(.eq, zero, zero))
      vanishes = build.binary(.and, isNegative, isOther)
    }
    func isUnfinished(_ carried: [LoopValue]) -> LoopValue { any(build.compare(.ne, carried[2], zero)) }
    let power = build.whileLoop(carrying: [one, base, rest], condition: isUnfinished) { carried in
      let (result, factor, rest) = (carried[0], carried[1], carried[2])
      let isOdd = build.compare(.ne, build.binary(.and, rest, one), zero)
      return [
        build.select(isOdd, build.mul(result, factor), result), build.mul(factor, factor),
        build.binary(.ushr, rest, one),
      ]
    }[0]
    return vanishes.map { build.select($0, zero, power) } ?? power
  }
}

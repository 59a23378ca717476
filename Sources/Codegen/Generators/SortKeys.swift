import IR
import Support

extension KernelScope {
  /// Integers that are in the order of the elements: NaN behind all numbers, zeros equal whatever their sign, NaNs
  /// equal. `value` is in register form.
  func sortKey(_ value: LoopValue, _ element: ElementType) -> LoopValue {
    let type = build.type(value)
    let wide = type.with(.i64)
    guard element.isFloat else {
      let number = build.convert(element.isSigned ? .signExtend : .zeroExtend, value, to: wide)
      // Unsigned 64 bits, moved so that signed comparison orders them.
      return element == .u64 ? build.binary(.xor, number, build.integer(Int.min, wide)) : number
    }
    let integers = type.with(type.scalar == .f64 ? .i64 : .i32)
    let isZero = build.compare(.eq, value, build.zero(type))
    let bits = build.convert(.bitcast, build.select(isZero, build.zero(type), value), to: integers)
    let isNegative = build.compare(.lt, bits, build.zero(integers))
    let greatest = type.scalar == .f64 ? Int.max : Int(Int32.max)
    let flipped = build.binary(.xor, bits, build.integer(greatest, integers))
    let ordered = build.select(isNegative, flipped, bits)
    let isNaN = build.compare(.ne, value, value)
    return build.convert(
      .signExtend, build.select(isNaN, build.integer(greatest, integers), ordered), to: wide)
  }
}

import Support

/// Float types of 16 bits or fewer to f32 and back, for machines without the instruction and for types that none has.
///
/// The codes lie in integer lanes. `SmallFloat` and `ScaleFloat` are the definition; these agree with them in every bit
/// (a NaN that is decoded is some NaN).
extension KernelBuilder {
  /// The f32 numbers that codes stand for. Bits above the type's own are ignored.
  public func decodeSmallFloat(_ codes: LoopValue, _ element: ElementType) -> LoopValue {
    let code = asWord(codes)
    if element == .f8e8m0 { return decodeScale(code) }
    return decode(code, smallFloat(element))
  }

  /// The codes of the nearest numbers to f32 lanes, ties to even: i16 lanes for types of 16 bits, i8 lanes for others.
  /// Beyond the greatest number: that one when `saturate`, otherwise infinity, or NaN where there is none. `rounding`
  /// is that of f8e8m0.
  public func encodeSmallFloat(
    _ x: LoopValue, _ element: ElementType, saturate: Bool, rounding: ScaleFloat.Rounding = .up
  ) -> LoopValue {
    let word = convert(.bitcast, x, to: type(x).with(.i32))
    let code =
      element == .f8e8m0
      ? encodeScale(word, saturate, rounding) : encode(word, smallFloat(element), saturate)
    return convert(.truncate, code, to: type(x).with(element.bits == 16 ? .i16 : .i8))
  }

  private func smallFloat(_ element: ElementType) -> SmallFloat {
    guard let format = SmallFloat(element) else { preconditionFailure("\(element) is no small float") }
    return format
  }

  private func asWord(_ codes: LoopValue) -> LoopValue {
    let from = type(codes).scalar
    return convert(from.bits > 32 ? .truncate : .zeroExtend, codes, to: type(codes).with(.i32))
  }

  // MARK: Decoding

  private func decode(_ code: LoopValue, _ format: SmallFloat) -> LoopValue {
    let floats = type(code).with(.f32)
    let mantissa = format.mantissaBits
    let magnitude = and(code, 1 << (format.bits - 1) - 1)
    let sign = shiftLeft(and(code, 1 << (format.bits - 1)), 32 - format.bits)
    let moved = shiftLeft(magnitude, 23 - mantissa)
    var result = moved
    if format.bias != 127 {
      let normal = plus(moved, (127 - format.bias) << 23)
      // Below the first exponent a code is a plain count.
      let unit = float(power(1 - format.bias - mantissa), floats)
      let counted = mul(convert(.signedToFloat, magnitude, to: floats), unit)
      let subnormal = convert(.bitcast, counted, to: type(code))
      result = select(compare(.lt, magnitude, word(1 << mantissa, code)), subnormal, normal)
    }
    let notANumber = word(0x7fc0_0000, code)
    switch format.specials {
    case .ieee:
      let infinity = (1 << format.exponentBits - 1) << mantissa
      let special = or(moved, word(0x7f80_0000, code))
      result = select(compare(.ge, magnitude, word(infinity, code)), special, result)
      result = select(compare(.gt, magnitude, word(infinity, code)), notANumber, result)
    case .finite:
      result = select(compare(.eq, magnitude, word(1 << (format.bits - 1) - 1, code)), notANumber, result)
    case .unsignedZero:
      let own = and(code, 1 << format.bits - 1)
      result = select(compare(.eq, own, word(1 << (format.bits - 1), code)), notANumber, result)
    case .none: break
    }
    return convert(.bitcast, or(result, sign), to: floats)
  }

  /// An exponent moves to where f32 has its own; the least one is subnormal there.
  private func decodeScale(_ code: LoopValue) -> LoopValue {
    let own = and(code, 0xff)
    let normal = select(compare(.eq, own, word(0, code)), word(0x0040_0000, code), shiftLeft(own, 23))
    let result = select(compare(.eq, own, word(0xff, code)), word(0x7fc0_0000, code), normal)
    return convert(.bitcast, result, to: type(code).with(.f32))
  }

  // MARK: Encoding

  private func encode(_ word: LoopValue, _ format: SmallFloat, _ saturate: Bool) -> LoopValue {
    let mantissa = format.mantissaBits
    let signBit = 1 << (format.bits - 1)
    let sign = and(shiftRight(word, 32 - format.bits), signBit)
    let magnitude = and(word, 0x7fff_ffff)
    let dropped = 23 - mantissa

    // Just below half of what is dropped, and one more when the last kept bit is odd.
    let odd = and(shiftRight(magnitude, dropped), 1)
    let carried = add(plus(magnitude, 1 << (dropped - 1) - 1), odd)
    var code = plus(shiftRight(carried, dropped), -((127 - format.bias) << mantissa))
    if format.bias != 127 {
      // Added to a number whose last bit is the least subnormal, a float is rounded to a count of those.
      let floats = type(word).with(.f32)
      let anchor = float(power(1 - format.bias - mantissa + 23), floats)
      let pushed = convert(.bitcast, add(convert(.bitcast, magnitude, to: floats), anchor), to: type(word))
      let subnormal = binary(.sub, pushed, convert(.bitcast, anchor, to: type(word)))
      code = select(compare(.lt, magnitude, self.word((128 - format.bias) << 23, word)), subnormal, code)
    }

    let greatest = Int(format.greatestCode)
    let infinity = (1 << format.exponentBits - 1) << mantissa
    let notANumber: Int
    var beyond = greatest
    switch format.specials {
    case .ieee:
      notANumber = infinity | 1 << (mantissa - 1)
      if !saturate { beyond = infinity }
    case .finite:
      notANumber = signBit - 1
      if !saturate { beyond = notANumber }
    case .unsignedZero, .none:
      notANumber = 0
      if !saturate && format.specials == .unsignedZero { beyond = signBit }
    }
    let isBeyond = compare(.gt, code, self.word(greatest, word))
    let isNaN = compare(.gt, magnitude, self.word(0x7f80_0000, word))
    code = select(isBeyond, self.word(beyond, word), code)
    switch format.specials {
    case .ieee, .finite: return or(select(isNaN, self.word(notANumber, word), code), sign)
    case .none: return select(isNaN, self.word(signBit, word), or(code, sign))
    case .unsignedZero:
      let signed = select(compare(.eq, code, self.word(0, word)), code, or(code, sign))
      return select(isNaN, self.word(signBit, word), signed)
    }
  }

  /// To a power of two; what is negative or not a number is NaN.
  private func encodeScale(_ word: LoopValue, _ saturate: Bool, _ rounding: ScaleFloat.Rounding) -> LoopValue {
    // What is added before the rest is cut off, to numbers that are normal in f32 and to those that are not, where the
    // two least powers lie; and the first word that is not too small.
    let (addend, addendBelow, first): (Int, Int, Int) =
      switch rounding {
      case .up: (0x007f_ffff, 0x003f_ffff, 0x0020_0001)
      case .down: (0, 0, 0x0040_0000)
      case .nearest: (0x0040_0000, 0x0020_0000, 0x0030_0000)
      }
    let normal = shiftRight(plus(word, addend), 23)
    let subnormal = shiftRight(plus(word, addendBelow), 23)
    let near = select(compare(.lt, word, self.word(0x0080_0000, word)), subnormal, normal)
    let least = self.word(saturate ? 0 : 0xff, word)
    let code = select(compare(.lt, and(word, 0x7fff_ffff), self.word(first, word)), least, near)
    let kept = saturate ? binary(.min, code, self.word(0xfe, word)) : code
    let isNaN = compare(.gt, word, self.word(0x7f80_0000, word))
    let isNegative = compare(.ugt, word, self.word(Int(Int32.min), word))
    let invalid = binary(.or, isNaN, isNegative)
    return select(invalid, self.word(0xff, word), kept)
  }

  // MARK: Words

  private func word(_ value: Int, _ like: LoopValue) -> LoopValue { integer(value, type(like)) }
  private func and(_ a: LoopValue, _ mask: Int) -> LoopValue { binary(.and, a, word(mask, a)) }
  private func or(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.or, a, b) }
  private func plus(_ a: LoopValue, _ value: Int) -> LoopValue { binary(.add, a, word(value, a)) }
  private func shiftLeft(_ a: LoopValue, _ count: Int) -> LoopValue { binary(.shl, a, word(count, a)) }
  private func shiftRight(_ a: LoopValue, _ count: Int) -> LoopValue { binary(.ushr, a, word(count, a)) }
  private func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
}

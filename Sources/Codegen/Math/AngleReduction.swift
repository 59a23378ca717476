/// Angles reduced to a quadrant: |x| = (4 i + quadrant) pi / 2 + r with |r| <= pi / 4.
struct ReducedAngle {
  /// The quadrant, 0 to 3 in the low two bits of an integer; other bits mean nothing.
  var quadrant: LoopValue
  var r: LoopValue
  /// What r lost in rounding.
  var rest: LoopValue
}

extension VectorMath {
  /// Up to a limit (2^15 for f32, 2^27 for f64) pi / 2 is subtracted in three parts. When a lane is beyond it, a branch
  /// multiplies by as many digits of 2 / pi as its exponent calls for, in integers: exact for every finite angle.
  func reduceAngle(_ magnitude: LoopValue) -> ReducedAngle {
    // Without a fused product the parts cancel too much; then only what needs no reduction is spared the integers.
    let limit = !fused ? 0.785398 : shape(magnitude).isDouble ? 0x1p27 : 0x1p15
    let near = fused ? reduceBySubtraction(magnitude) : unreduced(magnitude)
    let isFar = compare(magnitude, .gt, limit)
    let values = builder.ifElse(builder.reduce(.or, isFar)) {
      let far = reduceByDigits(magnitude)
      return [
        select(isFar, far.quadrant, near.quadrant), select(isFar, far.r, near.r), select(isFar, far.rest, near.rest),
      ]
    } else: {
      [near.quadrant, near.r, near.rest]
    }
    return ReducedAngle(quadrant: values[0], r: values[1], rest: values[2])
  }

  private func unreduced(_ x: LoopValue) -> ReducedAngle {
    ReducedAngle(quadrant: builder.zero(builder.type(bits(x))), r: x, rest: constant(0, x))
  }

  private func reduceBySubtraction(_ x: LoopValue) -> ReducedAngle {
    let (whole, quadrant) = nearest(x, times: 0.6366197723675814)
    let parts = shape(x).isDouble ? Self.halfPiDouble : Self.halfPiSingle
    // Exact, for the digits that differ fit in one float.
    let first = multiplyAdd(whole, -parts[0], x)
    let (second, secondLow) = twoProduct(whole, constant(-parts[1], x))
    let (sum, error) = twoSum(first, second)
    let low = multiplyAdd(whole, -parts[2], add(error, secondLow))
    let (r, rest) = fastTwoSum(sum, low)
    return ReducedAngle(quadrant: quadrant, r: r, rest: rest)
  }

  // MARK: Large angles

  /// Angles of at least pi / 4: mantissa * window of 2 / pi, of which two bits before the point and the rest behind it
  /// matter. Infinity gives NaN.
  private func reduceByDigits(_ x: LoopValue) -> ReducedAngle {
    let shape = shape(x)
    let number = builder.convert(.zeroExtend, bits(x), to: builder.type(x).with(.i64))
    let exponent = builder.binary(.ushr, number, integer(shape.mantissaBits, number))
    let mantissa = builder.binary(
      .or, builder.binary(.and, number, integer(shape.mantissaMask, number)), integer(1 << shape.mantissaBits, number))
    // Digits of 2 / pi that only give multiples of four turns' quarters are skipped. Zeros stand before the first.
    let padding = shape.isDouble ? 64 : 32
    let skipped = sub(exponent, integer(shape.bias + shape.mantissaBits + 2 - padding, exponent))
    let window = self.window(skipped, words: shape.isDouble ? 6 : 3, padding: padding / 32, shape)
    let product = truncatedProduct(mantissa, limbs: shape.isDouble ? 2 : 1, window)
    return reducedAngle(fraction: product, x)
  }

  /// `words` words of 32 digits of 2 / pi in i64 lanes, from digit `skipped` on. Each bit of the word number halves
  /// what is left to choose from.
  private func window(_ skipped: LoopValue, words: Int, padding: Int, _ shape: FloatShape) -> [LoopValue] {
    let greatest = shape.isDouble ? 32 : 4
    var digits = [Int](repeating: 0, count: padding)
    for word in Self.twoOverPi { digits += [Int(word >> 32), Int(word & 0xffff_ffff)] }
    var candidates = digits.prefix(greatest + words + 1).map { integer($0, skipped) }
    let index = builder.binary(.ushr, skipped, integer(5, skipped))
    var step = greatest
    while step > 0 {
      let bit = builder.binary(.and, index, integer(step, index))
      let isSet = builder.compare(.ne, bit, integer(0, bit))
      let count = Swift.min(candidates.count, words + step)
      candidates = (0..<count).map { position in
        let ahead = position + step
        return ahead < candidates.count ? select(isSet, candidates[ahead], candidates[position]) : candidates[position]
      }
      step /= 2
    }
    let shift = builder.binary(.and, skipped, integer(31, skipped))
    return (0..<words).map { position in
      let high = builder.binary(.shl, candidates[position], integer(32, skipped))
      let both = builder.binary(.shl, builder.binary(.or, high, candidates[position + 1]), shift)
      return builder.binary(.ushr, both, integer(32, both))
    }
  }

  /// The top of mantissa * window in words of 32 bits, what overflows the first one dropped.
  private func truncatedProduct(_ mantissa: LoopValue, limbs: Int, _ window: [LoopValue]) -> [LoopValue] {
    let word = integer(0xffff_ffff, mantissa)
    let bits32 = integer(32, mantissa)
    var columns = [LoopValue?](repeating: nil, count: window.count)
    func accumulate(_ value: LoopValue, _ column: Int) {
      guard column >= 0 else { return }
      columns[column] = columns[column].map { add($0, value) } ?? value
    }
    for limb in 0..<limbs {
      let factor = limb == 0 ? builder.binary(.and, mantissa, word) : builder.binary(.ushr, mantissa, bits32)
      for (position, digits) in window.enumerated() where position >= limb {
        let product = mul(factor, digits)
        accumulate(builder.binary(.and, product, word), position - limb)
        accumulate(builder.binary(.ushr, product, bits32), position - limb - 1)
      }
    }
    var result: [LoopValue] = []
    var carry = integer(0, mantissa)
    for column in columns.reversed() {
      guard let column else { continue }
      let sum = add(column, carry)
      result.insert(builder.binary(.and, sum, word), at: 0)
      carry = builder.binary(.ushr, sum, bits32)
    }
    return result
  }

  /// The angle whose count of quarter turns, modulo four, is this binary fraction times four.
  private func reducedAngle(fraction: [LoopValue], _ x: LoopValue) -> ReducedAngle {
    let first = fraction[0]
    let quadrant = builder.binary(.ushr, add(first, integer(1 << 29, first)), integer(30, first))
    let signed = sub(first, builder.binary(.shl, quadrant, integer(30, first)))
    let type = builder.type(x)
    var pieces: [LoopValue]
    if shape(x).isDouble {
      pieces = [signed] + fraction[1...3]
      pieces = pieces.enumerated().map { position, piece in
        scale(builder.convert(.signedToFloat, piece, to: type), [0x1p-30, 0x1p-62, 0x1p-94, 0x1p-126][position])
      }
    } else {
      // Cut anew, into what fits an f32 each.
      let top = builder.binary(.shr, signed, integer(8, signed))
      let lowBits = builder.binary(.shl, builder.binary(.and, signed, integer(0xff, signed)), integer(16, signed))
      let middle = builder.binary(.or, lowBits, builder.binary(.ushr, fraction[1], integer(16, signed)))
      let lastBits = builder.binary(
        .shl, builder.binary(.and, fraction[1], integer(0xffff, signed)), integer(8, signed))
      let last = builder.binary(.or, lastBits, builder.binary(.ushr, fraction[2], integer(24, signed)))
      pieces = [top, middle, last].enumerated().map { position, piece in
        let narrow = builder.convert(.truncate, piece, to: type.with(.i32))
        return scale(builder.convert(.signedToFloat, narrow, to: type), [0x1p-22, 0x1p-46, 0x1p-70][position])
      }
    }
    let (sum, error) = fastTwoSum(pieces[0], pieces[1])
    var (low, lowest) = twoSum(error, pieces[2])
    if pieces.count > 3 { lowest = add(lowest, pieces[3]) }
    let high = fastTwoSum(sum, low)
    low = add(high.low, lowest)
    let parts = shape(x).isDouble ? Self.halfPiDouble : Self.halfPiSingle
    let angle = product(fastTwoSum(high.high, low), (constant(parts[0], x), constant(parts[1], x)))
    let r = select(compare(x, .lt, .infinity), angle.high, constant(.nan, x))
    let narrow = builder.convert(shape(x).isDouble ? .bitcast : .truncate, quadrant, to: builder.type(bits(x)))
    return ReducedAngle(quadrant: narrow, r: r, rest: angle.low)
  }

  /// pi / 2 as a sum of three floats.
  private static let halfPiSingle = [0x1.921fb6p0, -0x1.777a5cp-25, -0x1.ee59dap-50]
  private static let halfPiDouble = [0x1.921fb54442d18p0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110]
}

/// sin, cos and tan: the angle reduced to |r| <= pi / 4, both polynomials there, and the quadrant says which and its sign.
extension VectorMath {
  public func sin(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let angle = reduceAngle(magnitude(x))
      let value = inQuadrant(angle, sine(angle), cosine(angle))
      let sign = builder.binary(.and, bits(x), integer(shape(x).signMask, bits(x)))
      return float(bits: builder.binary(.xor, bits(value), sign))
    }
  }

  public func cos(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      var angle = reduceAngle(magnitude(x))
      let (sine, cosine) = (sine(angle), cosine(angle))
      angle.quadrant = add(angle.quadrant, integer(1, angle.quadrant))
      return inQuadrant(angle, sine, cosine)
    }
  }

  /// The quotient of both, as sums of two; in odd quadrants the negated reciprocal.
  public func tan(_ x: LoopValue) -> LoopValue {
    wide(x) { x in
      let angle = reduceAngle(magnitude(x))
      let (sine, cosine) = (sineParts(angle), cosineParts(angle))
      let one = integer(1, angle.quadrant)
      let odd = builder.binary(.and, angle.quadrant, one)
      let isOdd = builder.compare(.ne, odd, integer(0, odd))
      func choose(_ a: Pair, _ b: Pair) -> Pair {
        fastTwoSum(select(isOdd, a.high, b.high), select(isOdd, a.low, b.low))
      }
      let value = quotient(choose(cosine, sine), choose(sine, cosine))
      let sign = builder.binary(.and, bits(x), integer(shape(x).signMask, bits(x)))
      let turned = builder.binary(.shl, odd, integer(shape(x).isDouble ? 63 : 31, odd))
      return float(bits: builder.binary(.xor, bits(value), builder.binary(.xor, sign, turned)))
    }
  }

  private func sine(_ angle: ReducedAngle) -> LoopValue {
    let (high, low) = sineParts(angle)
    return add(high, low)
  }

  private func cosine(_ angle: ReducedAngle) -> LoopValue {
    let (high, low) = cosineParts(angle)
    return add(high, low)
  }

  /// sin(r) = r + r^3 q(r^2), and what `rest` adds: rest cos(r).
  private func sineParts(_ angle: ReducedAngle) -> Pair {
    let r = angle.r
    let z = mul(r, r)
    let q = polynomial(z, shape(r).isDouble ? Self.sinDouble : Self.sinSingle)
    let rest = multiplyAdd(scale(z, -0.5), angle.rest, angle.rest)
    return (r, multiplyAdd(mul(z, r), q, rest))
  }

  /// cos(r) = 1 - r^2 / 2 + r^4 q(r^2), and what `rest` takes: rest sin(r).
  private func cosineParts(_ angle: ReducedAngle) -> Pair {
    let r = angle.r
    let one = constant(1, r)
    let z = mul(r, r)
    let half = scale(z, 0.5)
    let main = sub(one, half)
    let lost = sub(sub(one, main), half)
    let q = polynomial(z, shape(r).isDouble ? Self.cosDouble : Self.cosSingle)
    let tail = multiplyAdd(mul(z, z), q, builder.unary(.neg, mul(r, angle.rest)))
    return (main, add(lost, tail))
  }

  private func inQuadrant(_ angle: ReducedAngle, _ sine: LoopValue, _ cosine: LoopValue) -> LoopValue {
    let quadrant = angle.quadrant
    let odd = builder.binary(.and, quadrant, integer(1, quadrant))
    let value = select(builder.compare(.ne, odd, integer(0, odd)), cosine, sine)
    // The quadrant's second bit becomes the sign.
    let width = shape(value).isDouble ? 64 : 32
    let second = builder.binary(.and, quadrant, integer(2, quadrant))
    let sign = builder.binary(.shl, second, integer(width - 2, quadrant))
    return float(bits: builder.binary(.xor, bits(value), sign))
  }
}

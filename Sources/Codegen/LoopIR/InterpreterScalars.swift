import Support

/// Integers of a register: the low `bits`, zero above.
enum InterpreterInteger {
  static func mask(_ bits: Int) -> UInt64 { bits == 64 ? .max : (1 << UInt64(bits)) - 1 }

  static func signed(_ value: UInt64, _ bits: Int) -> Int {
    let shift = UInt64(64 - bits)
    return Int(Int64(bitPattern: value << shift) >> Int64(shift))
  }

  static func bits(_ value: Int, _ bits: Int) -> UInt64 { UInt64(bitPattern: Int64(value)) & mask(bits) }

  static func unary(_ operation: UnaryOperation, _ bits: Int) -> (UInt64) -> UInt64 {
    let mask = mask(bits)
    switch operation {
    case .neg: return { (0 &- $0) & mask }
    case .not: return { ~$0 & mask }
    case .abs: return { signed($0, bits) < 0 ? (0 &- $0) & mask : $0 }
    case .popcount: return { UInt64($0.nonzeroBitCount) }
    case .clz: return { UInt64($0.leadingZeroBitCount - (64 - bits)) }
    case .sqrt, .floor, .ceil, .trunc, .rint: return { $0 }
    }
  }

  /// Divisors are checked before; shifts by more than the width too.
  static func binary(_ operation: BinaryOperation, _ bits: Int) -> (UInt64, UInt64) -> UInt64 {
    let mask = mask(bits)
    switch operation {
    case .add: return { ($0 &+ $1) & mask }
    case .sub: return { ($0 &- $1) & mask }
    case .mul: return { ($0 &* $1) & mask }
    case .div:
      return { a, b in
        let divisor = signed(b, bits)
        return divisor == -1 ? (0 &- a) & mask : self.bits(signed(a, bits) / divisor, bits)
      }
    case .rem:
      return { a, b in
        let divisor = signed(b, bits)
        return divisor == -1 ? 0 : self.bits(signed(a, bits) % divisor, bits)
      }
    case .udiv: return { $0 / $1 }
    case .urem: return { $0 % $1 }
    case .min: return { signed($0, bits) < signed($1, bits) ? $0 : $1 }
    case .max: return { signed($0, bits) > signed($1, bits) ? $0 : $1 }
    case .umin: return { Swift.min($0, $1) }
    case .umax: return { Swift.max($0, $1) }
    case .and: return { $0 & $1 }
    case .or: return { $0 | $1 }
    case .xor: return { $0 ^ $1 }
    case .shl: return { ($0 &<< $1) & mask }
    case .shr: return { self.bits(signed($0, bits) >> Int($1 & 63), bits) }
    case .ushr: return { $0 &>> $1 }
    case .addSaturating: return { saturate(signed($0, bits).addingReportingOverflow(signed($1, bits)), $0, bits) }
    case .subSaturating: return { saturate(signed($0, bits).subtractingReportingOverflow(signed($1, bits)), $0, bits) }
    }
  }

  /// A sum of 64 bits overflows towards the sign of its first operand.
  private static func saturate(_ sum: (partialValue: Int, overflow: Bool), _ a: UInt64, _ bits: Int) -> UInt64 {
    let greatest = Int(mask(bits) >> 1)
    let least = -greatest - 1
    if sum.overflow { return self.bits(signed(a, bits) < 0 ? least : greatest, bits) }
    return self.bits(Swift.min(Swift.max(sum.partialValue, least), greatest), bits)
  }

  static func compare(_ comparison: Comparison, _ bits: Int) -> (UInt64, UInt64) -> Bool {
    switch comparison {
    case .eq: { $0 == $1 }
    case .ne: { $0 != $1 }
    case .lt: { signed($0, bits) < signed($1, bits) }
    case .le: { signed($0, bits) <= signed($1, bits) }
    case .gt: { signed($0, bits) > signed($1, bits) }
    case .ge: { signed($0, bits) >= signed($1, bits) }
    case .ult: { $0 < $1 }
    case .ule: { $0 <= $1 }
    case .ugt: { $0 > $1 }
    case .uge: { $0 >= $1 }
    }
  }
}

/// Floats of a register, by their bits. Half floats compute in f32 and round once.
enum InterpreterFloat {
  /// To f64, exactly.
  static func double(_ bits: UInt64, _ scalar: LoopScalar) -> Double {
    scalar == .f64 ? Double(bitPattern: bits) : Double(float(bits, scalar))
  }

  /// To f32, exactly; not for f64.
  static func float(_ bits: UInt64, _ scalar: LoopScalar) -> Float {
    switch scalar {
    case .f16: HalfFloat.float(f16: UInt16(truncatingIfNeeded: bits))
    case .bf16: HalfFloat.float(bf16: UInt16(truncatingIfNeeded: bits))
    default: Float(bitPattern: UInt32(truncatingIfNeeded: bits))
    }
  }

  static func bits(_ value: Float, _ scalar: LoopScalar) -> UInt64 {
    switch scalar {
    case .f16: UInt64(HalfFloat.f16(value))
    case .bf16: UInt64(HalfFloat.bf16(value))
    default: UInt64(value.bitPattern)
    }
  }

  static func bits(_ value: Double, _ scalar: LoopScalar) -> UInt64 {
    switch scalar {
    case .f16: UInt64(HalfFloat.f16(value))
    case .bf16: UInt64(HalfFloat.bf16(value))
    case .f64: value.bitPattern
    default: UInt64(Float(value).bitPattern)
    }
  }

  static func unary(_ operation: UnaryOperation, _ scalar: LoopScalar) -> (UInt64) -> UInt64 {
    let sign: UInt64 = 1 << UInt64(scalar.bits - 1)
    if operation == .neg { return { $0 ^ sign } }
    if operation == .abs { return { $0 & ~sign } }
    if scalar == .f64 {
      return { compute(operation, Double(bitPattern: $0)).bitPattern }
    }
    return { bits(compute(operation, float($0, scalar)), scalar) }
  }

  @inline(__always)
  private static func compute<Number: FloatingPoint>(_ operation: UnaryOperation, _ a: Number) -> Number {
    switch operation {
    case .sqrt: a.squareRoot()
    case .floor: a.rounded(.down)
    case .ceil: a.rounded(.up)
    case .trunc: a.rounded(.towardZero)
    case .rint: a.rounded(.toNearestOrEven)
    case .neg, .abs, .not, .popcount, .clz: a
    }
  }

  static func binary(_ operation: BinaryOperation, _ scalar: LoopScalar) -> (UInt64, UInt64) -> UInt64 {
    if scalar == .f64 {
      return { compute(operation, Double(bitPattern: $0), Double(bitPattern: $1)).bitPattern }
    }
    return { bits(compute(operation, float($0, scalar), float($1, scalar)), scalar) }
  }

  @inline(__always)
  private static func compute<Number: FloatingPoint>(_ operation: BinaryOperation, _ a: Number, _ b: Number) -> Number {
    switch operation {
    case .add: a + b
    case .sub: a - b
    case .mul: a * b
    case .div: a / b
    case .rem: a.truncatingRemainder(dividingBy: b)
    case .min: a < b ? a : b
    case .max: a > b ? a : b
    default: a
    }
  }

  static func fma(_ scalar: LoopScalar, fused: Bool) -> (UInt64, UInt64, UInt64) -> UInt64 {
    if scalar == .f64 {
      return { a, b, c in
        let (x, y, z) = (Double(bitPattern: a), Double(bitPattern: b), Double(bitPattern: c))
        return (fused ? z.addingProduct(x, y) : x * y + z).bitPattern
      }
    }
    return { a, b, c in
      let (x, y, z) = (float(a, scalar), float(b, scalar), float(c, scalar))
      return bits(fused ? z.addingProduct(x, y) : x * y + z, scalar)
    }
  }

  static func compare(_ comparison: Comparison, _ scalar: LoopScalar) -> (UInt64, UInt64) -> Bool {
    switch comparison {
    case .eq: { double($0, scalar) == double($1, scalar) }
    case .ne: { double($0, scalar) != double($1, scalar) }
    case .lt, .ult: { double($0, scalar) < double($1, scalar) }
    case .le, .ule: { double($0, scalar) <= double($1, scalar) }
    case .gt, .ugt: { double($0, scalar) > double($1, scalar) }
    case .ge, .uge: { double($0, scalar) >= double($1, scalar) }
    }
  }

  /// Towards zero, saturating; NaN gives zero.
  static func toInteger(_ value: Double, _ bits: Int, signed: Bool) -> UInt64 {
    if value.isNaN { return 0 }
    let whole = value.rounded(.towardZero)
    if signed {
      let limit = Double(sign: .plus, exponent: bits - 1, significand: 1)
      if whole >= limit { return InterpreterInteger.mask(bits) >> 1 }
      if whole <= -limit { return 1 << UInt64(bits - 1) }
      return InterpreterInteger.bits(Int(whole), bits)
    }
    if whole <= 0 { return 0 }
    let limit = Double(sign: .plus, exponent: bits, significand: 1)
    return whole >= limit ? InterpreterInteger.mask(bits) : UInt64(whole)
  }
}

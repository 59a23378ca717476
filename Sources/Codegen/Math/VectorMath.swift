import Support

/// Transcendental functions as plain loop IR: no calls, no tables, branch-free
/// unless a function says otherwise.
///
///     let y = VectorMath(builder).exp(x)
///
/// Every function takes a scalar or vector of f32 or f64; f16 and bf16 are
/// computed in f32 and rounded at the end. NaN, infinities, subnormals and minus
/// zero come out as C99 has them. `Docs/Math.md` states the errors.
///
/// The formulas lean on IEEE arithmetic as written: a backend that reassociates
/// or flushes subnormals breaks them.
public struct VectorMath {
  public let builder: KernelBuilder
  /// Whether `fma` rounds once. Where a machine has no such instruction, products are split instead.
  let fused: Bool

  public init(_ builder: KernelBuilder, fused: Bool = true) {
    self.builder = builder
    self.fused = fused
  }

  /// Runs `compute` on f32 or f64 lanes, going through f32 for half floats.
  func wide(_ x: LoopValue, _ compute: (LoopValue) -> LoopValue) -> LoopValue {
    let type = builder.type(x)
    guard type.scalar == .f16 || type.scalar == .bf16 else { return compute(x) }
    let result = compute(builder.convert(.floatExtend, x, to: type.with(.f32)))
    return builder.convert(.floatTruncate, result, to: type)
  }

  func shape(_ x: LoopValue) -> FloatShape { builder.type(x).scalar == .f64 ? .double : .single }

  // MARK: Values

  func constant(_ value: Double, _ like: LoopValue) -> LoopValue { builder.float(value, builder.type(like)) }

  func integer(_ value: Int, _ like: LoopValue) -> LoopValue { builder.integer(value, builder.type(like)) }

  /// The bits of a float as an integer of the same width.
  func bits(_ x: LoopValue) -> LoopValue {
    builder.convert(.bitcast, x, to: builder.type(x).with(shape(x).integer))
  }

  func float(bits: LoopValue) -> LoopValue {
    let type = builder.type(bits)
    return builder.convert(.bitcast, bits, to: type.with(type.scalar == .i64 ? .f64 : .f32))
  }

  // MARK: Arithmetic

  func add(_ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.binary(.add, a, b) }
  func sub(_ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.binary(.sub, a, b) }
  func mul(_ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.binary(.mul, a, b) }
  func div(_ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.binary(.div, a, b) }
  func scale(_ a: LoopValue, _ factor: Double) -> LoopValue { mul(a, constant(factor, a)) }
  func select(_ condition: LoopValue, _ a: LoopValue, _ b: LoopValue) -> LoopValue { builder.select(condition, a, b) }
  func compare(_ a: LoopValue, _ comparison: Comparison, _ b: Double) -> LoopValue {
    builder.compare(comparison, a, constant(b, a))
  }
  func magnitude(_ x: LoopValue) -> LoopValue { builder.unary(.abs, x) }

  /// a * b + c, in one rounding or two.
  func multiplyAdd(_ a: LoopValue, _ b: LoopValue, _ c: LoopValue) -> LoopValue {
    fused ? builder.fma(a, b, c) : add(mul(a, b), c)
  }

  func multiplyAdd(_ a: LoopValue, _ b: Double, _ c: LoopValue) -> LoopValue { multiplyAdd(a, constant(b, a), c) }

  /// Within the limits; NaN stays NaN. (`min` and `max` yield their second operand when there is a NaN.)
  func clamp(_ x: LoopValue, _ low: Double, _ high: Double) -> LoopValue {
    builder.max(constant(low, x), builder.min(constant(high, x), x))
  }

  /// sum of coefficients[i] * x^i, by Horner's rule.
  func polynomial(_ x: LoopValue, _ coefficients: [Double]) -> LoopValue {
    var result = constant(coefficients[coefficients.count - 1], x)
    for coefficient in coefficients.dropLast().reversed() {
      result = multiplyAdd(result, x, constant(coefficient, x))
    }
    return result
  }

  /// The magnitude of `x` with the sign of `sign`; `x` is not negative.
  func withSign(of sign: LoopValue, _ x: LoopValue) -> LoopValue {
    let signBit = builder.binary(.and, bits(sign), integer(shape(sign).signMask, bits(sign)))
    return float(bits: builder.binary(.or, bits(x), signBit))
  }

  /// The nearest whole number (ties to even) as a float and as an integer. For |x| < 2^(mantissaBits - 2).
  func nearest(_ x: LoopValue, times factor: Double) -> (float: LoopValue, integer: LoopValue) {
    let (whole, pushed) = nearestInLowBits(x, times: factor)
    return (whole, sub(pushed, bits(constant(shape(x).rounder, x))))
  }

  /// The same, with bits of no meaning above the integer's low ones (mantissaBits - 2 of them). Adding
  /// 1.5 * 2^mantissaBits pushes it there.
  func nearestInLowBits(_ x: LoopValue, times factor: Double) -> (float: LoopValue, integer: LoopValue) {
    let magic = constant(shape(x).rounder, x)
    let pushed = multiplyAdd(x, factor, magic)
    return (sub(pushed, magic), bits(pushed))
  }

  /// 2^n for an integer n that a normal float can have as its exponent; higher bits of n are shifted out.
  func powerOfTwo(_ n: LoopValue, _ shape: FloatShape) -> LoopValue {
    let biased = add(n, integer(shape.bias, n))
    return float(bits: builder.binary(.shl, biased, integer(shape.mantissaBits, n)))
  }

  /// x * 2^n with one rounding for |n| up to twice the exponent range: in two steps, the second of which rounds.
  /// Bits of n beyond those are of no matter.
  func scale(_ x: LoopValue, byPowerOfTwo n: LoopValue) -> LoopValue {
    let half = builder.binary(.shr, n, integer(1, n))
    let shape = shape(x)
    return mul(mul(x, powerOfTwo(half, shape)), powerOfTwo(sub(n, half), shape))
  }
}

extension KernelBuilder {
  public var math: VectorMath { VectorMath(self) }
}

/// How the bits of f32 and f64 are laid out.
struct FloatShape {
  let scalar: LoopScalar
  let integer: LoopScalar
  let mantissaBits: Int
  let bias: Int

  static let single = FloatShape(scalar: .f32, integer: .i32, mantissaBits: 23, bias: 127)
  static let double = FloatShape(scalar: .f64, integer: .i64, mantissaBits: 52, bias: 1023)

  var isDouble: Bool { scalar == .f64 }
  var signMask: Int { isDouble ? Int.min : Int(Int32.min) }
  var magnitudeMask: Int { isDouble ? Int.max : Int(Int32.max) }
  var mantissaMask: Int { (1 << mantissaBits) - 1 }
  var rounder: Double { isDouble ? 0x1.8p52 : 0x1.8p23 }
  var leastNormal: Double { isDouble ? 0x1p-1022 : 0x1p-126 }
}

import IR
import Support

/// An op that computes each element of its result from the elements at the same place of its operands.
///
/// Such ops run alone as maps, and fused: in chains, and as epilogues of contractions, reductions and the like.
protocol ScalarLowering {
  /// One element (or a vector of them) in register form.
  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue

  /// Whether the op can fail on some values, so that lanes which stand for no element must not be computed.
  func canFail(_ types: [ElementType]) -> Bool

  /// The op with everything that the types and the module tell built in; what lowers.
  func specialized(
    _ types: [TensorType], _ constants: [Tensor?], _ module: Module
  ) throws(Diagnostic) -> any ScalarLowering

  /// The shapes by which the operands broadcast to the result.
  func operandShapes(_ types: [TensorType]) -> [[Dim]]

  /// Constants the op reads beside its operands: one tensor each, broadcastable to the result.
  func parameters(
    _ types: [TensorType], result: TensorType, _ module: Module
  ) throws(Diagnostic) -> [Tensor]
}

extension ScalarLowering {
  func canFail(_ types: [ElementType]) -> Bool { false }
  func specialized(
    _ types: [TensorType], _ constants: [Tensor?], _ module: Module
  ) throws(Diagnostic) -> any ScalarLowering { self }
  func operandShapes(_ types: [TensorType]) -> [[Dim]] { types.map(\.shape) }
  func parameters(
    _ types: [TensorType], result: TensorType, _ module: Module
  ) throws(Diagnostic) -> [Tensor] { [] }
}

extension Unary: ScalarLowering {
  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let x = inputs[0]
    let type = build.type(x)
    let element = types[0]
    let zero = build.zero(type)
    if element == .bool { return build.binary(.xor, x, build.integer(1, type)) }
    if !element.isFloat {
      let value: LoopValue
      switch function {
      case .neg: value = build.sub(zero, x)
      case .bitNot: value = build.unary(.not, x)
      case .abs where element.isSigned: value = build.max(x, build.sub(zero, x))
      case .relu where element.isSigned: value = build.max(x, zero)
      case .sign:
        let positive = build.select(build.compare(.ne, x, zero), build.integer(1, type), zero)
        value =
          element.isSigned
          ? build.select(build.compare(.lt, x, zero), build.integer(-1, type), positive) : positive
      default: value = x
      }
      return scope.rounded(value, as: element)
    }
    let one = { build.float(1, type) }
    let value: LoopValue
    switch function {
    case .neg: value = build.unary(.neg, x)
    case .abs: value = build.unary(.abs, x)
    case .sign:
      let positive = build.select(build.compare(.gt, x, zero), one(), build.select(build.compare(.ne, x, x), x, zero))
      value = build.select(build.compare(.lt, x, zero), build.float(-1, type), positive)
    case .exp: value = scope.math.exp(x)
    case .exp2: value = scope.math.exp2(x)
    case .expm1: value = scope.math.expm1(x)
    case .log: value = scope.math.log(x)
    case .log2: value = scope.math.log2(x)
    case .log1p: value = scope.math.log1p(x)
    case .sqrt: value = build.unary(.sqrt, x)
    case .rsqrt: value = build.div(one(), build.unary(.sqrt, x))
    case .reciprocal: value = build.div(one(), x)
    case .tanh: value = scope.math.tanh(x)
    case .sigmoid: value = scope.math.sigmoid(x)
    case .erf: value = scope.math.erf(x)
    case .silu: value = scope.math.silu(x)
    case .gelu: value = scope.math.gelu(x)
    case .geluTanh: value = scope.math.geluTanh(x)
    case .hardSwish: value = scope.math.hardSwish(x)
    // The second operand wins when one is NaN, and minus zero stays as it is.
    case .relu: value = build.select(build.compare(.lt, x, zero), zero, x)
    case .floor: value = build.unary(.floor, x)
    case .ceil: value = build.unary(.ceil, x)
    case .round: value = build.unary(.rint, x)
    case .roundAway: value = scope.math.roundAway(x)
    case .trunc: value = build.unary(.trunc, x)
    case .sin: value = scope.math.sin(x)
    case .cos: value = scope.math.cos(x)
    case .tan: value = scope.math.tan(x)
    case .asin: value = scope.math.asin(x)
    case .acos: value = scope.math.acos(x)
    case .atan: value = scope.math.atan(x)
    case .sinh: value = scope.math.sinh(x)
    case .cosh: value = scope.math.cosh(x)
    case .asinh: value = scope.math.asinh(x)
    case .acosh: value = scope.math.acosh(x)
    case .atanh: value = scope.math.atanh(x)
    case .isNaN: return build.compare(.ne, x, x)
    case .not, .bitNot: throw .bug("\(mnemonic) takes no floats")
    }
    return scope.rounded(value, as: element)
  }
}

extension Compare: ScalarLowering {
  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let unsigned = !types[0].isFloat && !types[0].isSigned
    let comparison: Comparison =
      switch function {
      case .equal: .eq
      case .notEqual: .ne
      case .less: unsigned ? .ult : .lt
      case .lessEqual: unsigned ? .ule : .le
      case .greater: unsigned ? .ugt : .gt
      case .greaterEqual: unsigned ? .uge : .ge
      }
    return scope.build.compare(comparison, inputs[0], inputs[1])
  }
}

extension Select: ScalarLowering {
  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    scope.build.select(inputs[0], inputs[1], inputs[2])
  }
}

extension Cast: ScalarLowering {
  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    try scope.convert(inputs[0], from: types[0], to: result, saturate: saturate, rounding: rounding)
  }
}

/// What a kernel's checks return; the numbers are the artifact's own (`martlet_status`).
public enum KernelStatus {
  public static let indexOutOfRange = 5
  public static let divisionByZero = 6
}

extension KernelScope {
  /// Converts register forms as `cast` defines it.
  func convert(
    _ value: LoopValue, from source: ElementType, to target: ElementType, saturate: Bool,
    rounding: ScaleFloat.Rounding = .up
  ) throws(Diagnostic) -> LoopValue {
    let from = build.type(value)
    let form = try ElementForm(target)
    let register = from.with(form.register)
    if source == target { return value }
    if target == .bool {
      return source == .bool ? value : build.compare(.ne, value, build.zero(from))
    }
    if source == .bool, target != .f8e8m0 {
      return target.isFloat
        ? build.convert(.unsignedToFloat, value, to: register) : build.convert(.zeroExtend, value, to: register)
    }
    if target.isFloat {
      let wide: LoopValue
      if source.isFloat {
        wide =
          from.scalar.bits < register.scalar.bits
          ? build.convert(.floatExtend, value, to: register)
          : try narrowed(value, to: target, register)
      } else if source == .bool {
        wide = build.convert(.unsignedToFloat, value, to: register)
      } else {
        wide = try integerToFloat(value, signed: source.isSigned, target, register)
      }
      if target == .f8e8m0 {
        let bounded = from.scalar == .f64 ? infiniteBeyondFloat(value, wide) : wide
        return build.decodeSmallFloat(
          build.encodeSmallFloat(bounded, target, saturate: saturate, rounding: rounding), target)
      }
      if saturate, form.memory == .i8 {
        return build.decodeSmallFloat(build.encodeSmallFloat(wide, target, saturate: true), target)
      }
      return rounded(wide, as: target)
    }
    if source.isFloat {
      // Out of range saturates to the target's own range, which may be narrower than its register.
      let wide = from.with(target.bits < 32 ? .i32 : register.scalar)
      var whole = build.convert(
        target.isSigned || target.bits < 32 ? .floatToSigned : .floatToUnsigned, value, to: wide)
      if target.bits < 32, let range = target.integerRange {
        whole = build.min(
          build.max(whole, build.integer(range.lowerBound, wide)), build.integer(range.upperBound, wide))
      }
      return build.convert(.truncate, whole, to: register)
    }
    let resized =
      from.scalar.bits < register.scalar.bits
      ? build.convert(source.isSigned ? .signExtend : .zeroExtend, value, to: register)
      : build.convert(.truncate, value, to: register)
    return rounded(resized, as: target)
  }

  /// Rounded to odd, a number beyond f32 is its greatest one, which some rounding keeps; it must count as beyond.
  private func infiniteBeyondFloat(_ value: LoopValue, _ narrow: LoopValue) -> LoopValue {
    let limit = build.float(0x1p128, build.type(value))
    return build.select(
      build.compare(.ge, value, limit), build.float(.infinity, build.type(narrow)), narrow)
  }

  /// f64 to f32 or narrower, rounded once: halfway points must not be lost on the way through f32.
  private func narrowed(_ value: LoopValue, to target: ElementType, _ register: LoopType) throws(Diagnostic)
    -> LoopValue
  {
    guard build.type(value).scalar == .f64, target != .f32 else {
      return build.convert(.floatTruncate, value, to: register)
    }
    // Round to odd: cut to f32, and if anything was lost set the last bit, so that the next rounding sees it.
    let near = build.convert(.floatTruncate, value, to: register)
    let back = build.convert(.floatExtend, near, to: build.type(value))
    let bits = build.convert(.bitcast, near, to: register.with(.i32))
    let even = build.compare(
      .eq, build.binary(.and, bits, build.integer(1, register.with(.i32))), build.zero(register.with(.i32)))
    let inexact = build.binary(
      .and, build.compare(.ne, back, value), build.compare(.eq, value, value))
    let magnitudeGrew = build.compare(.gt, build.unary(.abs, back), build.unary(.abs, value))
    let step = build.select(
      magnitudeGrew, build.integer(-1, register.with(.i32)), build.integer(1, register.with(.i32)))
    let odd = build.convert(.bitcast, build.add(bits, step), to: register)
    return build.select(build.binary(.and, inexact, even), odd, near)
  }

  /// Beyond what f64 holds exactly, whether anything is in the last bits becomes a bit that f64 keeps: what rounds next,
  /// to far fewer digits, sees the same.
  private func roundedToOdd(_ value: LoopValue, signed: Bool) -> LoopValue {
    let type = build.type(value)
    func word(_ value: Int) -> LoopValue { build.integer(value, type) }
    let isLarge =
      signed
      ? build.compare(.ugt, build.add(value, word(1 << 53)), word(1 << 54)) : build.compare(.ugt, value, word(1 << 53))
    let isExact = build.compare(.eq, build.binary(.and, value, word(0xfff)), build.zero(type))
    let high = build.binary(.and, value, word(~0xfff))
    let marked = build.binary(.or, high, build.select(isExact, build.zero(type), word(0x800)))
    return build.select(isLarge, marked, value)
  }

  /// Integers of 64 bits go through f64 to narrow floats with round to odd; shorter ones are exact in f64.
  private func integerToFloat(
    _ value: LoopValue, signed: Bool, _ target: ElementType, _ register: LoopType
  ) throws(Diagnostic) -> LoopValue {
    let conversion: Conversion = signed ? .signedToFloat : .unsignedToFloat
    let bits = build.type(value).scalar.bits
    if target == .f32 || target == .f64 || bits <= 16 { return build.convert(conversion, value, to: register) }
    let kept = bits == 64 ? roundedToOdd(value, signed: signed) : value
    let wide = build.convert(conversion, kept, to: register.with(.f64))
    return try narrowed(wide, to: target, register)
  }
}

import IR
import Support

extension Binary: ScalarLowering {
  func canFail(_ types: [ElementType]) -> Bool {
    guard !types[0].isFloat else { return false }
    return switch function {
    case .div, .mod, .rem, .floorDiv: true
    // Zero to a negative power.
    case .pow: types[0].isSigned
    default: false
    }
  }

  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    if function == .floorDiv, types[0].isFloat {
      let quotient = scope.rounded(scope.build.div(inputs[0], inputs[1]), as: types[0])
      return scope.rounded(scope.build.unary(.floor, quotient), as: types[0])
    }
    let value =
      types[0].isFloat
      ? try lowerFloat(inputs[0], inputs[1], scope) : try lowerInteger(inputs[0], inputs[1], types[0], scope)
    return scope.rounded(value, as: types[0])
  }

  private func lowerFloat(_ a: LoopValue, _ b: LoopValue, _ scope: KernelScope) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    switch function {
    case .add: return build.add(a, b)
    case .sub: return build.sub(a, b)
    case .mul: return build.mul(a, b)
    case .div: return build.div(a, b)
    case .floorDiv: return build.unary(.floor, build.div(a, b))
    case .minimum: return keepingNaN(.min, a, b, build)
    case .maximum: return keepingNaN(.max, a, b, build)
    case .rem: return build.rem(a, b)
    case .mod:
      let remainder = build.rem(a, b)
      let zero = build.zero(build.type(a))
      // A zero has the divisor's sign too.
      let signed = build.select(build.compare(.lt, b, zero), build.float(-0.0, build.type(a)), zero)
      return build.select(build.compare(.eq, remainder, zero), signed, build.floorRemainder(a, b, remainder))
    case .pow: return scope.math.pow(a, b)
    case .atan2: return scope.math.atan2(a, b)
    case .and, .or, .xor, .shiftLeft, .shiftRight: throw .bug("\(mnemonic) takes no floats")
    }
  }

  /// Of a NaN and a number the machine picks the second, so a known number goes first; else a NaN in front is put back.
  private func keepingNaN(
    _ operation: BinaryOperation, _ a: LoopValue, _ b: LoopValue, _ build: KernelBuilder
  ) -> LoopValue {
    if build.isNumber(a) { return build.binary(operation, a, b) }
    if build.isNumber(b) { return build.binary(operation, b, a) }
    return build.select(build.compare(.ne, a, a), a, build.binary(operation, a, b))
  }

  private func lowerInteger(
    _ a: LoopValue, _ b: LoopValue, _ element: ElementType, _ scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let signed = element.isSigned
    switch function {
    case .add: return build.add(a, b)
    case .sub: return build.sub(a, b)
    case .mul: return build.mul(a, b)
    case .minimum: return build.binary(signed ? .min : .umin, a, b)
    case .maximum: return build.binary(signed ? .max : .umax, a, b)
    case .and: return build.binary(.and, a, b)
    case .or: return build.binary(.or, a, b)
    case .xor: return build.binary(.xor, a, b)
    case .shiftLeft, .shiftRight: return shift(a, b, element, build)
    case .div, .mod, .rem, .floorDiv: return divide(a, b, signed: signed, build)
    case .pow: return scope.integerPower(a, b, signed: signed)
    case .atan2: throw .bug("atan2 takes no integers")
    }
  }

  private func shift(_ a: LoopValue, _ b: LoopValue, _ element: ElementType, _ build: KernelBuilder) -> LoopValue {
    let type = build.type(a)
    let operation: BinaryOperation = function == .shiftLeft ? .shl : element.isSigned ? .shr : .ushr
    // A shift by the width or more leaves nothing (or the sign), where the machine's is undefined.
    let limit = build.integer(element.bits - 1, type)
    let tooFar = build.compare(.ugt, b, limit)
    let clamped = build.select(tooFar, limit, b)
    let shifted = build.binary(operation, a, clamped)
    if operation == .shr { return shifted }
    return build.select(tooFar, build.zero(type), shifted)
  }

  private func divide(_ a: LoopValue, _ b: LoopValue, signed: Bool, _ build: KernelBuilder) -> LoopValue {
    let type = build.type(a)
    let zero = build.zero(type)
    build.checkNone(build.compare(.eq, b, zero), status: KernelStatus.divisionByZero)
    let wantsQuotient = function == .div || function == .floorDiv
    guard signed else { return build.binary(wantsQuotient ? .udiv : .urem, a, b) }
    // The machine traps on the least number divided by -1; dividing by 1 and negating wraps instead.
    let isMinusOne = build.compare(.eq, b, build.integer(-1, type))
    let divisor = build.select(isMinusOne, build.integer(1, type), b)
    switch function {
    case .div: return build.select(isMinusOne, build.sub(zero, a), build.div(a, divisor))
    case .rem: return build.rem(a, divisor)
    case .floorDiv:
      let remainder = build.rem(a, divisor)
      let isAbove = build.isWrongSide(remainder, divisor)
      let quotient = build.div(a, divisor)
      let down = build.select(isAbove, build.sub(quotient, build.integer(1, type)), quotient)
      return build.select(isMinusOne, build.sub(zero, a), down)
    default: return build.select(isMinusOne, zero, build.floorRemainder(a, divisor, build.rem(a, divisor)))
    }
  }
}

extension KernelBuilder {
  /// Whether a remainder of truncating division is not that of flooring division.
  fileprivate func isWrongSide(_ remainder: LoopValue, _ divisor: LoopValue) -> LoopValue {
    let zero = zero(type(remainder))
    let differs = binary(.xor, compare(.lt, remainder, zero), compare(.lt, divisor, zero))
    return binary(.and, compare(.ne, remainder, zero), differs)
  }

  /// The remainder with the divisor's sign.
  fileprivate func floorRemainder(_ a: LoopValue, _ b: LoopValue, _ remainder: LoopValue) -> LoopValue {
    select(isWrongSide(remainder, b), add(remainder, b), remainder)
  }

  /// Leaves the kernel with `status` if the condition holds in any lane.
  fileprivate func checkNone(_ condition: LoopValue, status: Int) {
    let any = reduce(.or, condition)
    check(binary(.xor, any, integer(1, .bool)), status: status)
  }
}

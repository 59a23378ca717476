import CLLVM
import Codegen

/// The float remainder. LLVM's `frem` is a call of `fmod`, so the kernel's module
/// gets its own: exact long division of the mantissas, eleven bits a step.
extension KernelLowering {
  func floatRemainder(_ a: LLVMValue, _ b: LLVMValue, _ type: LoopType) -> LLVMValue {
    // A remainder of two f32 is exact in f64 and back.
    if type.scalar == .f32 {
      let wide = type.with(.f64)
      let x = LLVMBuildFPExt(builder, a, self.type(wide), "")!
      let y = LLVMBuildFPExt(builder, b, self.type(wide), "")!
      return LLVMBuildFPTrunc(builder, floatRemainder(x, y, wide), self.type(type), "")
    }
    let function = remainder ?? buildRemainder()
    remainder = function
    let signature = LLVMGlobalGetValueType(function)
    func call(_ x: LLVMValue, _ y: LLVMValue) -> LLVMValue {
      var arguments: [LLVMValue?] = [x, y]
      return LLVMBuildCall2(builder, signature, function, &arguments, 2, "")
    }
    guard type.isVector else { return call(a, b) }
    var result: LLVMValue = LLVMGetPoison(self.type(type))
    for lane in 0..<type.lanes {
      let element = call(extract(a, lane), extract(b, lane))
      result = LLVMBuildInsertElement(builder, result, element, integer(lane, i64), "")
    }
    return result
  }

  /// `double remainder(double x, double y)`:
  ///
  ///     NaN if y is zero or NaN or x is not finite; x if |x| < |y|
  ///     r = mantissa(x) % mantissa(y); r = (r << s) % mantissa(y), s <= 11, until the exponents meet
  ///     r scaled by y's exponent, with x's sign
  private func buildRemainder() -> LLVMValue {
    let outside = LLVMGetInsertBlock(builder)
    var types: [LLVMType?] = [f64, f64]
    let function = LLVMAddFunction(target.module, kernel.name + ".remainder", LLVMFunctionType(f64, &types, 2, 0))!
    LLVMSetLinkage(function, LLVMInternalLinkage)
    addAttributes(to: function)
    let (x, y) = (LLVMGetParam(function, 0)!, LLVMGetParam(function, 1)!)
    func block(_ name: String) -> LLVMBasicBlockRef { LLVMAppendBasicBlockInContext(context, function, name) }
    let (entry, ordinary, divide, top, step) =
      (block("entry"), block("ordinary"), block("divide"), block("top"), block("step"))
    let (done, none, small) = (block("done"), block("none"), block("small"))
    func word(_ value: Int) -> LLVMValue { integer(value, i64) }

    LLVMPositionBuilderAtEnd(builder, entry)
    let magnitudeMask = word(Int.max)
    let xBits = bitcast(x, i64)
    let xMagnitude = LLVMBuildAnd(builder, xBits, magnitudeMask, "")!
    let yMagnitude = LLVMBuildAnd(builder, bitcast(y, i64), magnitudeMask, "")!
    let infinity = word(0x7ff << 52)
    let xSpecial = LLVMBuildICmp(builder, LLVMIntUGE, xMagnitude, infinity, "")
    let ySpecial = LLVMBuildICmp(builder, LLVMIntUGT, yMagnitude, infinity, "")
    let yZero = LLVMBuildICmp(builder, LLVMIntEQ, yMagnitude, word(0), "")
    let special = LLVMBuildOr(builder, LLVMBuildOr(builder, xSpecial, ySpecial, ""), yZero, "")
    LLVMBuildCondBr(builder, special, none, ordinary)

    LLVMPositionBuilderAtEnd(builder, none)
    LLVMBuildRet(builder, bitcast(word(0x7ff8 << 48), f64))

    LLVMPositionBuilderAtEnd(builder, ordinary)
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntULT, xMagnitude, yMagnitude, ""), small, divide)
    LLVMPositionBuilderAtEnd(builder, small)
    LLVMBuildRet(builder, x)

    /// Exponent and mantissa, subnormals as they are with the least exponent.
    func split(_ magnitude: LLVMValue) -> (LLVMValue, LLVMValue) {
      let raw = LLVMBuildLShr(builder, magnitude, word(52), "")!
      let fraction = LLVMBuildAnd(builder, magnitude, word((1 << 52) - 1), "")!
      let subnormal = LLVMBuildICmp(builder, LLVMIntEQ, raw, word(0), "")!
      let mantissa = LLVMBuildOr(builder, fraction, word(1 << 52), "")!
      return (select(subnormal, word(1), raw), select(subnormal, fraction, mantissa))
    }
    LLVMPositionBuilderAtEnd(builder, divide)
    let (xExponent, xMantissa) = split(xMagnitude)
    let (yExponent, yMantissa) = split(yMagnitude)
    let first = LLVMBuildURem(builder, xMantissa, yMantissa, "")!
    let distance = LLVMBuildSub(builder, xExponent, yExponent, "")!
    LLVMBuildBr(builder, top)

    LLVMPositionBuilderAtEnd(builder, top)
    let left = LLVMBuildPhi(builder, i64, "")!
    let rest = LLVMBuildPhi(builder, i64, "")!
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSGT, left, word(0), ""), step, done)
    LLVMPositionBuilderAtEnd(builder, step)
    let shift = intrinsic("llvm.smin", [i64], [left, word(11)])
    let next = LLVMBuildURem(builder, LLVMBuildShl(builder, rest, shift, ""), yMantissa, "")!
    let remaining = LLVMBuildSub(builder, left, shift, "")!
    LLVMBuildBr(builder, top)
    addIncoming(left, [(distance, divide), (remaining, step)])
    addIncoming(rest, [(first, divide), (next, step)])

    LLVMPositionBuilderAtEnd(builder, done)
    let zeros = intrinsic("llvm.ctlz", [i64], [rest, integer(0, i1)])
    let wanted = LLVMBuildSub(builder, zeros, word(11), "")!
    let possible = LLVMBuildSub(builder, yExponent, word(1), "")!
    let normalising = intrinsic("llvm.smin", [i64], [wanted, possible])
    let mantissa = LLVMBuildShl(builder, rest, normalising, "")!
    let exponent = LLVMBuildSub(builder, yExponent, normalising, "")!
    // With the leading bit in place the exponent field is `exponent`, and the addition carries that bit into it.
    let field = LLVMBuildShl(builder, LLVMBuildSub(builder, exponent, word(1), ""), word(52), "")
    let isZero = LLVMBuildICmp(builder, LLVMIntEQ, rest, word(0), "")!
    let bits = select(isZero, word(0), LLVMBuildAdd(builder, field, mantissa, ""))
    let sign = LLVMBuildAnd(builder, xBits, word(Int.min), "")
    LLVMBuildRet(builder, bitcast(LLVMBuildOr(builder, bits, sign, ""), f64))
    LLVMPositionBuilderAtEnd(builder, outside)
    return function
  }
}

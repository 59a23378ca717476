import CLLVM
import Codegen

/// Unary, binary and fused arithmetic, comparisons and reductions.
extension KernelLowering {
  /// Half floats are computed in f32 and rounded once: for one operation that is the correctly rounded result.
  private func throughF32(
    _ type: LoopType, _ operands: [LLVMValue], _ compute: ([LLVMValue], LoopType) -> LLVMValue
  ) -> LLVMValue {
    guard type.scalar == .f16 || type.scalar == .bf16 else { return compute(operands, type) }
    let wide = type.with(.f32)
    return narrow(compute(operands.map { widen($0, type) }, wide), type)
  }

  // MARK: Unary

  func lowerUnary(_ operation: UnaryOperation, _ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    guard type.scalar.isFloat else { return integerUnary(operation, a, type) }
    let half = type.scalar == .f16 || type.scalar == .bf16
    if half && operation == .neg { return LLVMBuildXor(builder, a, constant(0x8000, type.with(.i16)), "") }
    if half && operation == .abs { return LLVMBuildAnd(builder, a, constant(0x7fff, type.with(.i16)), "") }
    return throughF32(type, [a]) { self.floatUnary(operation, $0[0], $1) }
  }

  private func integerUnary(_ operation: UnaryOperation, _ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    let llvm = self.type(type)
    let no = integer(0, i1)
    return switch operation {
    case .neg: LLVMBuildNeg(builder, a, "")
    case .not: LLVMBuildNot(builder, a, "")
    case .abs: intrinsic("llvm.abs", [llvm], [a, no])
    case .popcount: intrinsic("llvm.ctpop", [llvm], [a])
    case .clz: intrinsic("llvm.ctlz", [llvm], [a, no])
    // Whole numbers already; the verifier refuses a square root.
    case .sqrt, .floor, .ceil, .trunc, .rint: a
    }
  }

  private func floatUnary(_ operation: UnaryOperation, _ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    let llvm = self.type(type)
    switch operation {
    case .neg: return LLVMBuildFNeg(builder, a, "")
    case .abs: return intrinsic("llvm.fabs", [llvm], [a])
    case .sqrt: return intrinsic("llvm.sqrt", [llvm], [a])
    case .floor where machine.hasRounding: return intrinsic("llvm.floor", [llvm], [a])
    case .ceil where machine.hasRounding: return intrinsic("llvm.ceil", [llvm], [a])
    case .trunc where machine.hasRounding: return intrinsic("llvm.trunc", [llvm], [a])
    case .rint where machine.hasRounding: return intrinsic("llvm.roundeven", [llvm], [a])
    case .rint: return roundByAdding(a, type)
    case .floor: return correct(roundByAdding(a, type), a, type, LLVMRealOGT, -1)
    case .ceil: return correct(roundByAdding(a, type), a, type, LLVMRealOLT, 1)
    case .trunc:
      // Towards zero is down for what is positive; the sign is put back for the sake of -0.
      let magnitude = intrinsic("llvm.fabs", [llvm], [a])
      let down = correct(roundByAdding(magnitude, type), magnitude, type, LLVMRealOGT, -1)
      return intrinsic("llvm.copysign", [llvm], [down, a])
    case .not, .popcount, .clz: return a
    }
  }

  /// Nearest whole number, ties to even, without a rounding instruction: adding
  /// and subtracting 2^mantissa pushes the fraction out. Large values, infinities and NaN are whole already.
  private func roundByAdding(_ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    let llvm = self.type(type)
    let limit = constant(type.scalar == .f64 ? 0x1p52 : 0x1p23, type)
    let magnitude = intrinsic("llvm.fabs", [llvm], [a])
    let pushed = LLVMBuildFAdd(builder, magnitude, limit, "")
    let rounded = LLVMBuildFSub(builder, pushed, limit, "")!
    let signed = intrinsic("llvm.copysign", [llvm], [rounded, a])
    return select(LLVMBuildFCmp(builder, LLVMRealOLT, magnitude, limit, ""), signed, a)
  }

  /// Moves `rounded` by `by` where it compares so to `a`, keeping the sign of zero.
  private func correct(
    _ rounded: LLVMValue, _ a: LLVMValue, _ type: LoopType, _ predicate: LLVMRealPredicate, _ by: Double
  ) -> LLVMValue {
    let wrong = LLVMBuildFCmp(builder, predicate, rounded, a, "")!
    let moved = LLVMBuildFAdd(builder, rounded, constant(by, type), "")!
    let result = select(wrong, moved, rounded)
    return intrinsic("llvm.copysign", [self.type(type)], [result, a])
  }

  // MARK: Binary

  func lowerBinary(_ operation: BinaryOperation, _ a: LLVMValue, _ b: LLVMValue, _ type: LoopType) -> LLVMValue {
    guard type.scalar.isFloat else { return integerBinary(operation, a, b, type) }
    return throughF32(type, [a, b]) { self.floatBinary(operation, $0[0], $0[1], $1) }
  }

  private func floatBinary(
    _ operation: BinaryOperation, _ a: LLVMValue, _ b: LLVMValue, _ type: LoopType
  ) -> LLVMValue {
    switch operation {
    case .add: LLVMBuildFAdd(builder, a, b, "")
    case .sub: LLVMBuildFSub(builder, a, b, "")
    case .mul: LLVMBuildFMul(builder, a, b, "")
    case .div: LLVMBuildFDiv(builder, a, b, "")
    case .min: select(LLVMBuildFCmp(builder, LLVMRealOLT, a, b, ""), a, b)
    case .max: select(LLVMBuildFCmp(builder, LLVMRealOGT, a, b, ""), a, b)
    case .rem: floatRemainder(a, b, type)
    default: a  // The verifier lets no other through.
    }
  }

  private func integerBinary(
    _ operation: BinaryOperation, _ a: LLVMValue, _ b: LLVMValue, _ type: LoopType
  ) -> LLVMValue {
    let llvm = self.type(type)
    return switch operation {
    case .add: LLVMBuildAdd(builder, a, b, "")
    case .sub: LLVMBuildSub(builder, a, b, "")
    case .mul: LLVMBuildMul(builder, a, b, "")
    case .div: signedDivision(a, b, type, remainder: false)
    case .rem: signedDivision(a, b, type, remainder: true)
    case .udiv: LLVMBuildUDiv(builder, a, b, "")
    case .urem: LLVMBuildURem(builder, a, b, "")
    case .min: intrinsic("llvm.smin", [llvm], [a, b])
    case .max: intrinsic("llvm.smax", [llvm], [a, b])
    case .umin: intrinsic("llvm.umin", [llvm], [a, b])
    case .umax: intrinsic("llvm.umax", [llvm], [a, b])
    case .and: LLVMBuildAnd(builder, a, b, "")
    case .or: LLVMBuildOr(builder, a, b, "")
    case .xor: LLVMBuildXor(builder, a, b, "")
    case .shl: LLVMBuildShl(builder, a, b, "")
    case .shr: LLVMBuildAShr(builder, a, b, "")
    case .ushr: LLVMBuildLShr(builder, a, b, "")
    case .addSaturating: intrinsic("llvm.sadd.sat", [llvm], [a, b])
    case .subSaturating: intrinsic("llvm.ssub.sat", [llvm], [a, b])
    }
  }

  /// The least integer divided by -1 traps on x86; here it wraps, as everything else does.
  private func signedDivision(_ a: LLVMValue, _ b: LLVMValue, _ type: LoopType, remainder: Bool) -> LLVMValue {
    if LLVMIsConstant(b) != 0 && !type.isVector && LLVMConstIntGetSExtValue(b) != -1 {
      return remainder ? LLVMBuildSRem(builder, a, b, "") : LLVMBuildSDiv(builder, a, b, "")
    }
    let negating = LLVMBuildICmp(builder, LLVMIntEQ, b, constant(-1, type), "")!
    let divisor = select(negating, constant(1, type), b)
    if remainder { return LLVMBuildSRem(builder, a, divisor, "") }
    let quotient = LLVMBuildSDiv(builder, a, divisor, "")!
    return select(negating, LLVMBuildNeg(builder, a, ""), quotient)
  }

  // MARK: Fused, compared

  func lowerFMA(_ a: LLVMValue, _ b: LLVMValue, _ c: LLVMValue, _ type: LoopType) -> LLVMValue {
    guard type.scalar.isFloat else { return LLVMBuildAdd(builder, LLVMBuildMul(builder, a, b, ""), c, "") }
    return throughF32(type, [a, b, c]) { operands, wide in
      let isFused = self.machine.hasFMA && (wide.scalar != .f64 || self.machine.hasF64)
      if isFused { return self.intrinsic("llvm.fma", [self.type(wide)], operands) }
      let product = LLVMBuildFMul(self.builder, operands[0], operands[1], "")
      return LLVMBuildFAdd(self.builder, product, operands[2], "")
    }
  }

  func lowerCompare(_ comparison: Comparison, _ a: LLVMValue, _ b: LLVMValue, _ type: LoopType) -> LLVMValue {
    if type.scalar.isFloat {
      let half = type.scalar == .f16 || type.scalar == .bf16
      let x = half ? widen(a, type) : a
      let y = half ? widen(b, type) : b
      return LLVMBuildFCmp(builder, comparison.float, x, y, "")
    }
    return LLVMBuildICmp(builder, comparison.integer, a, b, "")
  }

  // MARK: Reductions

  /// Floats are summed by halves, so that every machine adds in one order.
  func lowerReduction(_ operation: BinaryOperation, _ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    guard type.isVector else { return a }
    if !type.scalar.isFloat, let name = operation.reductionName {
      return intrinsic("llvm.vector.reduce." + name, [self.type(type)], [a])
    }
    var rest = a
    var lanes = type.lanes
    var odd: LLVMValue?
    while lanes > 1 {
      let half = lanes / 2
      if lanes % 2 == 1 {
        let last = extract(rest, lanes - 1)
        odd = odd.map { lowerBinary(operation, last, $0, type.with(lanes: 1)) } ?? last
      }
      let low = half == 1 ? extract(rest, 0) : shuffle(rest, rest, Array(0..<half))
      let high = half == 1 ? extract(rest, 1) : shuffle(rest, rest, Array(half..<2 * half))
      rest = lowerBinary(operation, low, high, type.with(lanes: half))
      lanes = half
    }
    return odd.map { lowerBinary(operation, rest, $0, type.with(lanes: 1)) } ?? rest
  }
}

extension BinaryOperation {
  fileprivate var reductionName: String? {
    switch self {
    case .add: "add"
    case .mul: "mul"
    case .min: "smin"
    case .max: "smax"
    case .umin: "umin"
    case .umax: "umax"
    case .and: "and"
    case .or: "or"
    case .xor: "xor"
    default: nil
    }
  }
}

extension Comparison {
  fileprivate var integer: LLVMIntPredicate {
    switch self {
    case .eq: LLVMIntEQ
    case .ne: LLVMIntNE
    case .lt: LLVMIntSLT
    case .le: LLVMIntSLE
    case .gt: LLVMIntSGT
    case .ge: LLVMIntSGE
    case .ult: LLVMIntULT
    case .ule: LLVMIntULE
    case .ugt: LLVMIntUGT
    case .uge: LLVMIntUGE
    }
  }

  fileprivate var float: LLVMRealPredicate {
    switch self {
    case .eq: LLVMRealOEQ
    case .ne: LLVMRealUNE
    case .lt, .ult: LLVMRealOLT
    case .le, .ule: LLVMRealOLE
    case .gt, .ugt: LLVMRealOGT
    case .ge, .uge: LLVMRealOGE
    }
  }
}

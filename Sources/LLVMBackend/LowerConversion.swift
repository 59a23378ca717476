import CLLVM
import Codegen

/// Conversions. What the machine has no instruction for becomes integer
/// arithmetic, never a call (`__extendhfsf2` and friends).
extension KernelLowering {
  func lowerConversion(_ conversion: Conversion, _ a: LLVMValue, _ from: LoopType, _ to: LoopType) -> LLVMValue {
    let llvm = type(to)
    switch conversion {
    case .signExtend: return LLVMBuildSExt(builder, a, llvm, "")
    case .zeroExtend: return LLVMBuildZExt(builder, a, llvm, "")
    case .truncate: return LLVMBuildTrunc(builder, a, llvm, "")
    case .bitcast: return bitcast(a, llvm)
    case .floatExtend, .floatTruncate: return resize(a, from, to)
    case .signedToFloat, .unsignedToFloat:
      let wide = to.scalar == .f64 ? to : to.with(.f32)
      let signed = conversion == .signedToFloat
      let value =
        signed ? LLVMBuildSIToFP(builder, a, type(wide), "")! : LLVMBuildUIToFP(builder, a, type(wide), "")!
      return resize(value, wide, to)
    case .floatToSigned, .floatToUnsigned:
      let wide = from.scalar == .f64 ? from : from.with(.f32)
      if conversion == .floatToSigned, from.lanes > 1, !machine.hasSaturatingConversion {
        return saturatingVector(resize(a, from, wide), wide, to)
      }
      let name = conversion == .floatToSigned ? "llvm.fptosi.sat" : "llvm.fptoui.sat"
      return intrinsic(name, [llvm, type(wide)], [resize(a, from, wide)])
    }
  }

  /// Floats to signed integers, NaN to zero: LLVM takes vectors apart for it where no instruction saturates so.
  private func saturatingVector(_ a: LLVMValue, _ from: LoopType, _ to: LoopType) -> LLVMValue {
    let bits = to.scalar.bits
    let limit = constant(bits == 64 ? 0x1p63 : bits == 32 ? 0x1p31 : bits == 16 ? 0x1p15 : 0x1p7, from)
    let isLarge = LLVMBuildFCmp(builder, LLVMRealOGE, a, limit, "")!
    let isSmall = LLVMBuildFCmp(builder, LLVMRealOLE, a, LLVMBuildFNeg(builder, limit, ""), "")!
    let isInside = LLVMBuildFCmp(builder, LLVMRealOLT, intrinsic("llvm.fabs", [type(from)], [a]), limit, "")!
    let inside = LLVMBuildFPToSI(builder, select(isInside, a, constant(0.0, from)), type(to), "")!
    let largest = constant(Int(truncatingIfNeeded: UInt64.max >> UInt64(65 - bits)), to)
    let smallest = constant(-1 << (bits - 1), to)
    return select(isLarge, largest, select(isSmall, smallest, inside))
  }

  /// Float to float, both ways.
  private func resize(_ a: LLVMValue, _ from: LoopType, _ to: LoopType) -> LLVMValue {
    switch (from.scalar, to.scalar) {
    case (let x, let y) where x == y: return a
    case (.f32, .f64): return LLVMBuildFPExt(builder, a, type(to), "")
    case (.f64, .f32): return LLVMBuildFPTrunc(builder, a, type(to), "")
    case (_, .f32): return widen(a, from)
    case (.f32, _): return narrow(a, to)
    case (_, .f64): return LLVMBuildFPExt(builder, widen(a, from), type(to), "")
    case (.f64, _): return narrow(truncateToOdd(a, from), to)
    default: return narrow(widen(a, from), to)
    }
  }

  /// f64 to f32 so that a further rounding to half is correct: what is inexact gets an odd mantissa.
  private func truncateToOdd(_ a: LLVMValue, _ from: LoopType) -> LLVMValue {
    let (f32Type, i32Type) = (from.with(.f32), from.with(.i32))
    let near = LLVMBuildFPTrunc(builder, a, type(f32Type), "")!
    let back = LLVMBuildFPExt(builder, near, type(from), "")
    let inexact = LLVMBuildFCmp(builder, LLVMRealONE, back, a, "")!
    let tooFar = LLVMBuildFCmp(
      builder, LLVMRealOGT, intrinsic("llvm.fabs", [type(from)], [back!]), intrinsic("llvm.fabs", [type(from)], [a]),
      "")!
    let bits = bitcast(near, type(i32Type))
    let down = LLVMBuildSub(builder, bits, LLVMBuildZExt(builder, tooFar, type(i32Type), ""), "")
    let odd = LLVMBuildOr(builder, down, constant(1, i32Type), "")!
    return bitcast(select(inexact, odd, bits), type(f32Type))
  }

  // MARK: Half floats

  /// f16 or bf16 bits to f32.
  func widen(_ a: LLVMValue, _ from: LoopType) -> LLVMValue {
    let (f32Type, i32Type) = (type(from.with(.f32)), type(from.with(.i32)))
    if from.scalar == .f16 && machine.hasF16Conversion {
      let half = bitcast(a, vector(LLVMHalfTypeInContext(context), from.lanes))
      return LLVMBuildFPExt(builder, half, f32Type, "")
    }
    let bits = LLVMBuildZExt(builder, a, i32Type, "")!
    if from.scalar == .bf16 {
      return bitcast(LLVMBuildShl(builder, bits, constant(16, from.with(.i32)), ""), f32Type)
    }
    return widenByArithmetic(bits, from.with(.i32))
  }

  /// f32 to the bits of f16 or bf16, nearest even.
  func narrow(_ a: LLVMValue, _ to: LoopType) -> LLVMValue {
    let lanes = to.lanes
    if to.scalar == .f16 && machine.hasF16Conversion {
      let half = LLVMBuildFPTrunc(builder, a, vector(LLVMHalfTypeInContext(context), lanes), "")!
      return bitcast(half, type(to))
    }
    if to.scalar == .bf16 && machine.hasBF16Conversion {
      let half = LLVMBuildFPTrunc(builder, a, vector(LLVMBFloatTypeInContext(context), lanes), "")!
      return bitcast(half, type(to))
    }
    let bits = bitcast(a, type(to.with(.i32)))
    let result = to.scalar == .bf16 ? narrowToBF16(bits, to.with(.i32)) : narrowToF16(bits, to.with(.i32))
    return LLVMBuildTrunc(builder, result, type(to), "")
  }

  /// f16 to f32: the exponent is moved by 112. Subnormals are normalised by a subtraction, infinity and NaN moved twice.
  private func widenByArithmetic(_ half: LLVMValue, _ t: LoopType) -> LLVMValue {
    let sign = shifted(and(half, 0x8000, t), left: 16, t)
    let magnitude = shifted(and(half, 0x7fff, t), left: 13, t)
    let normal = plus(magnitude, 112 << 23, t)
    let special = plus(magnitude, 224 << 23, t)
    let floats = t.with(.f32)
    let raised = bitcast(plus(magnitude, 113 << 23, t), type(floats))
    let difference = LLVMBuildFSub(builder, raised, constant(0x1p-14, floats), "")!
    let subnormal = bitcast(difference, type(t))
    let isSubnormal = LLVMBuildICmp(builder, LLVMIntULT, magnitude, constant(1 << 23, t), "")!
    let isSpecial = LLVMBuildICmp(builder, LLVMIntUGE, magnitude, constant(0x1f << 23, t), "")!
    let result = select(isSpecial, special, select(isSubnormal, subnormal, normal))
    // Conversion instructions quiet a signalling NaN; so does this.
    let isNaN = LLVMBuildICmp(builder, LLVMIntUGT, magnitude, constant(0x1f << 23, t), "")!
    let quiet = select(isNaN, constant(0x0040_0000, t), constant(0, t))
    let bits = LLVMBuildOr(builder, LLVMBuildOr(builder, result, sign, ""), quiet, "")!
    return bitcast(bits, type(floats))
  }

  private func narrowToF16(_ bits: LLVMValue, _ t: LoopType) -> LLVMValue {
    let floats = t.with(.f32)
    let sign = and(shifted(bits, right: 16, t), 0x8000, t)
    let magnitude = and(bits, 0x7fff_ffff, t)
    let odd = and(shifted(magnitude, right: 13, t), 1, t)
    let carried = LLVMBuildAdd(builder, plus(magnitude, 0xfff - (112 << 23), t), odd, "")!
    let normal = shifted(carried, right: 13, t)
    // Beside 0.5 the last bit of f32 is the last bit of a subnormal half: the addition rounds.
    let pushed = LLVMBuildFAdd(builder, bitcast(magnitude, type(floats)), constant(0.5, floats), "")!
    let subnormal = plus(bitcast(pushed, type(t)), -0x3f00_0000, t)
    let payload = LLVMBuildOr(builder, and(shifted(magnitude, right: 13, t), 0x3ff, t), constant(0x7e00, t), "")!
    let isNaN = LLVMBuildICmp(builder, LLVMIntUGT, magnitude, constant(0x7f80_0000, t), "")!
    let isLarge = LLVMBuildICmp(builder, LLVMIntUGE, magnitude, constant(0x4780_0000, t), "")!
    let isSmall = LLVMBuildICmp(builder, LLVMIntULT, magnitude, constant(0x3880_0000, t), "")!
    let special = select(isNaN, payload, constant(0x7c00, t))
    let result = select(isLarge, special, select(isSmall, subnormal, normal))
    return LLVMBuildOr(builder, result, sign, "")
  }

  private func narrowToBF16(_ bits: LLVMValue, _ t: LoopType) -> LLVMValue {
    let top = shifted(bits, right: 16, t)
    let rounding = plus(and(top, 1, t), 0x7fff, t)
    let rounded = shifted(LLVMBuildAdd(builder, bits, rounding, ""), right: 16, t)
    let quiet = LLVMBuildOr(builder, top, constant(0x40, t), "")!
    let magnitude = and(bits, 0x7fff_ffff, t)
    let isNaN = LLVMBuildICmp(builder, LLVMIntUGT, magnitude, constant(0x7f80_0000, t), "")!
    return select(isNaN, quiet, rounded)
  }

  private func and(_ a: LLVMValue, _ mask: Int, _ type: LoopType) -> LLVMValue {
    LLVMBuildAnd(builder, a, constant(mask, type), "")
  }

  private func plus(_ a: LLVMValue, _ value: Int, _ type: LoopType) -> LLVMValue {
    LLVMBuildAdd(builder, a, constant(value, type), "")
  }

  private func shifted(_ a: LLVMValue, left count: Int, _ type: LoopType) -> LLVMValue {
    LLVMBuildShl(builder, a, constant(count, type), "")
  }

  private func shifted(_ a: LLVMValue, right count: Int, _ type: LoopType) -> LLVMValue {
    LLVMBuildLShr(builder, a, constant(count, type), "")
  }
}

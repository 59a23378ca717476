import CLLVM
import Codegen

/// The dot product of four: u8 by s8 into i32, exact on every machine.
extension KernelLowering {
  func lowerDot(_ accumulator: LLVMValue, _ a: LLVMValue, _ b: LLVMValue, _ lanes: Int) -> LLVMValue {
    guard machine.dotProduct != .widening, lanes >= 4, lanes % 4 == 0 else {
      return dotByMultiplying(accumulator, a, b, lanes)
    }
    // In the widest pieces that the machine has and the width divides into.
    var piece = machine.dotVectorBytes / 4
    while lanes % piece != 0 { piece /= 2 }
    if piece == lanes { return dotPiece(accumulator, a, b, lanes) }
    var parts: [LLVMValue] = []
    for start in stride(from: 0, to: lanes, by: piece) {
      let bytes = Array(4 * start..<4 * (start + piece))
      parts.append(
        dotPiece(
          shuffle(accumulator, accumulator, Array(start..<start + piece)), shuffle(a, a, bytes), shuffle(b, b, bytes),
          piece))
    }
    return concatenate(parts, piece)
  }

  private func concatenate(_ parts: [LLVMValue], _ lanes: Int) -> LLVMValue {
    var result = parts[0]
    var width = lanes
    for part in parts.dropFirst() {
      // LLVM shuffles vectors of one type: first widen the part.
      let wide = width == lanes ? part : shuffle(part, part, (0..<width).map { $0 < lanes ? $0 : -1 })
      result = shuffle(result, wide, Array(0..<width + lanes))
      width += lanes
    }
    return result
  }

  private func dotPiece(_ accumulator: LLVMValue, _ a: LLVMValue, _ b: LLVMValue, _ lanes: Int) -> LLVMValue {
    switch machine.dotProduct {
    case .vnni: return intrinsic("llvm.x86.avx512.vpdpbusd.\(32 * lanes)", [], [accumulator, a, b])
    case .i8mm:
      return intrinsic("llvm.aarch64.neon.usdot", [vector(i32, lanes), vector(i8, 4 * lanes)], [accumulator, a, b])
    case .signed:
      // unsigned * b is (unsigned - 128) * b + 64 * b + 64 * b.
      let bytes = LoopType(.i8, lanes: 4 * lanes)
      func sdot(_ sum: LLVMValue, _ x: LLVMValue) -> LLVMValue {
        intrinsic("llvm.aarch64.neon.sdot", [vector(i32, lanes), type(bytes)], [sum, x, b])
      }
      let shifted = LLVMBuildXor(builder, a, constant(0x80, bytes), "")!
      let half = constant(64, bytes)
      return sdot(sdot(sdot(accumulator, shifted), half), half)
    case .multiplyAddPairs: return dotByPairs(accumulator, a, b, lanes)
    case .widening: return dotByMultiplying(accumulator, a, b, lanes)
    }
  }

  /// Even and odd bytes become 16-bit lanes in place; two multiply-adds of pairs then cover a group of four.
  private func dotByPairs(_ accumulator: LLVMValue, _ a: LLVMValue, _ b: LLVMValue, _ lanes: Int) -> LLVMValue {
    let pairs = LoopType(.i16, lanes: 2 * lanes)
    let (x, y) = (bitcast(a, type(pairs)), bitcast(b, type(pairs)))
    let eight = constant(8, pairs)
    let evenA = LLVMBuildAnd(builder, x, constant(255, pairs), "")!
    let oddA = LLVMBuildLShr(builder, x, eight, "")!
    let evenB = LLVMBuildAShr(builder, LLVMBuildShl(builder, y, eight, ""), eight, "")!
    let oddB = LLVMBuildAShr(builder, y, eight, "")!
    let name =
      switch lanes {
      case 16: "llvm.x86.avx512.pmaddw.d.512"
      case 8: "llvm.x86.avx2.pmadd.wd"
      default: "llvm.x86.sse2.pmadd.wd"
      }
    let even = intrinsic(name, [], [evenA, evenB])
    let odd = intrinsic(name, [], [oddA, oddB])
    return LLVMBuildAdd(builder, accumulator, LLVMBuildAdd(builder, even, odd, ""), "")
  }

  /// Four 32-bit products a lane, the bytes taken out by shifts.
  private func dotByMultiplying(_ accumulator: LLVMValue, _ a: LLVMValue, _ b: LLVMValue, _ lanes: Int) -> LLVMValue {
    let words = LoopType(.i32, lanes: lanes)
    let (x, y) = (bitcast(a, type(words)), bitcast(b, type(words)))
    var sum = accumulator
    for byte in 0..<4 {
      let low = LLVMBuildLShr(builder, x, constant(8 * byte, words), "")
      let unsigned = LLVMBuildAnd(builder, low, constant(255, words), "")
      let high = LLVMBuildShl(builder, y, constant(24 - 8 * byte, words), "")
      let signed = LLVMBuildAShr(builder, high, constant(24, words), "")
      sum = LLVMBuildAdd(builder, sum, LLVMBuildMul(builder, unsigned, signed, ""), "")
    }
    return sum
  }
}

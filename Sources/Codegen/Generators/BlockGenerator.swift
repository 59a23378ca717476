import IR
import Support

/// How the bytes of one block become numbers: one value a format.
struct BlockUnpacking {
  /// Values that one call of `unpack` makes from lane number `first` on, in units of a whole block's values.
  let format: BlockFormat
  /// The integers `first ..< first + lanes` of a block, sign included, as i32; `block` is its first byte.
  let integers: @Sendable (KernelBuilder, BufferReference, LoopValue, Int, Int) -> LoopValue

  static func of(_ format: BlockFormat) -> BlockUnpacking? { all.first { $0.format == format } }

  private static let all = [
    BlockUnpacking(format: .q8_0) { build, bytes, block, first, lanes in
      let raw = build.load(LoopType(.i8, lanes: lanes), Address(bytes, block, offset: 2 + first))
      return build.convert(.signExtend, raw, to: LoopType(.i32, lanes: lanes))
    },
    BlockUnpacking(format: .q4_0) { build, bytes, block, first, lanes in
      // The low halves of 16 bytes, then the high ones.
      let type = LoopType(.i8, lanes: lanes)
      let raw = build.load(type, Address(bytes, block, offset: 2 + first % 16))
      let half =
        first < 16
        ? build.binary(.and, raw, build.integer(15, type)) : build.binary(.ushr, raw, build.integer(4, type))
      let wide = LoopType(.i32, lanes: lanes)
      return build.sub(build.convert(.zeroExtend, half, to: wide), build.integer(8, wide))
    },
  ]
}

/// Unpacks blocks with one f16 scale in front to floats.
struct BlockGenerator {
  let unpacking: BlockUnpacking
  let blocks: Dim
  let source: BufferID
  let target: TensorView

  private static let blocksPerThread = 512

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(target.element)
    let from = scope.buffer(source, .i8, .read)
    let to = scope.buffer(target.buffer, form.memory, .write)
    let format = unpacking.format
    let lanes = Swift.min(16, Swift.max(1, scope.profile.lanes(bits: form.register.bits)))
    scope.partition(blocks, grain: Self.blocksPerThread) { low, high in
      build.forEach(low, high) { number in
        let block = build.mul(number, format.bytesPerBlock)
        let scale = build.convert(
          .floatExtend, build.load(LoopType(.f16), Address(from, block)), to: LoopType(form.register))
        let base = build.mul(number, format.valuesPerBlock)
        for first in stride(from: 0, to: format.valuesPerBlock, by: lanes) {
          let integers = unpacking.integers(build, from, block, first, lanes)
          let floats = build.convert(.signedToFloat, integers, to: LoopType(form.register, lanes: lanes))
          let value = scope.rounded(build.mul(floats, build.splat(scale, lanes: lanes)), as: target.element)
          scope.write(value, to: to, form, at: build.add(base, first), stride: 1)
        }
      }
    }
  }
}

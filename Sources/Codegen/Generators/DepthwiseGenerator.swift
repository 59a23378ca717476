import IR
import Support
import Targets

/// Depthwise convolutions over images of known size: one filter a channel, lanes over channels.
///
/// Bytes are multiplied in f32 too, which holds such sums exactly: there are few products, and no instruction that adds
/// up neighbours helps where each lane has a sum of its own.
///
/// A tile of two rows by a few columns is computed at once. Each input vector that
/// the tile touches is loaded once and feeds every sum that needs it, so that the
/// multiply-adds outnumber the loads. Taps that fall off the image are left out, as
/// in other convolutions, and tiles that behave alike share their code.
struct DepthwiseGenerator {
  let batch: Dim
  let vertical: WindowAxis
  let horizontal: WindowAxis
  let channels: Int
  /// What the image holds.
  let element: ElementType
  let image: BufferID
  /// Elements from one pixel of the image to the next.
  let pitch: Int
  /// `[taps, channels]`.
  let filters: BufferID
  let epilogue: Epilogue
  /// Whether the result has a row axis of its own (two spatial axes).
  let hasRows: Bool

  /// Taps that are kept in registers over a row of tiles.
  fileprivate static let residentTaps = 9

  /// Whether sums of so many products are what they should be.
  static func serves(_ multiplication: Multiplication, taps: Int, _ profile: Profile) -> Bool {
    switch multiplication.left {
    case .f32: true
    case .u8, .i8: profile.lanes(bits: 32) > 1 && taps <= (1 << 24) / (255 * 128)
    default: false
    }
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let taps = vertical.window * horizontal.window
    let emitter = try DepthwiseEmitter(scope, self)
    emitter.epilogue.allowOverwriting()
    let channelBlocks = ChannelBlocks(channels: channels, profile: scope.profile)
    scope.work = batch * (vertical.allTaps * horizontal.allTaps * channels)
    let rowTiles = RowTiles(
      batch: batch, runs: vertical.runs(extent: Swift.min(2, vertical.output), isEven: false))
    let grain = Swift.max(1, 16384 / (taps * channels * horizontal.output * 2 + 1))
    scope.partition(batch * rowTiles.count, grain: grain) { from, to in
      rowTiles.forEach(build, from, to) { n, rowTile in
        rowTiles.choose(build, rowTile) { run, y in
          channelBlocks.forEach(build) { emitter.emitRow(run, n, y, $0) }
        }
      }
    }
    if let failure = emitter.epilogue.failure { throw failure }
  }

  /// Input indices that a tile of `extent` outputs touches.
  fileprivate func span(_ axis: WindowAxis, _ extent: Int) -> Int {
    (extent - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1
  }

  /// Which sums of a tile an input vector feeds, and through which tap.
  fileprivate func uses(
    of iy: Int, _ ix: Int, _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run
  ) -> [(dy: Int, dx: Int, tap: Int)] {
    var result: [(dy: Int, dx: Int, tap: Int)] = []
    for dy in 0..<rowRun.extent {
      guard let ky = tap(vertical, iy - dy * vertical.stride), rowRun.taps[dy].contains(ky) else { continue }
      for dx in 0..<columnRun.extent {
        guard let kx = tap(horizontal, ix - dx * horizontal.stride), columnRun.taps[dx].contains(kx) else { continue }
        result.append((dy, dx, ky * horizontal.window + kx))
      }
    }
    return result
  }

  private func tap(_ axis: WindowAxis, _ distance: Int) -> Int? {
    guard distance >= 0, distance % axis.dilation == 0, distance / axis.dilation < axis.window else { return nil }
    return distance / axis.dilation
  }
}

/// Emits the tiles of a depthwise convolution.
private struct DepthwiseEmitter {
  let epilogue: EpilogueEmitter
  private let scope: KernelScope
  private let convolution: DepthwiseGenerator
  private let image: BufferReference
  private let filters: BufferReference
  private let columnRuns: [WindowAxis.Run]
  private let keepsWeights: Bool
  private var build: KernelBuilder { scope.build }

  init(_ scope: KernelScope, _ convolution: DepthwiseGenerator) throws(Diagnostic) {
    self.scope = scope
    self.convolution = convolution
    epilogue = try EpilogueEmitter(scope, convolution.epilogue)
    image = scope.buffer(convolution.image, convolution.element == .f32 ? .f32 : .i8, .read)
    filters = scope.buffer(convolution.filters, .f32, .read)
    // Sums, weights and one input vector have to fit the registers.
    let isLarge = scope.profile.vectorRegisters >= 32
    let horizontal = convolution.horizontal
    columnRuns = horizontal.runs(extent: Swift.min(isLarge ? 7 : 3, horizontal.output), isEven: true)
    keepsWeights = isLarge && convolution.vertical.window * horizontal.window <= DepthwiseGenerator.residentTaps
  }

  /// One row of tiles over one block of channels.
  func emitRow(_ rowRun: WindowAxis.Run, _ n: LoopValue, _ y: LoopValue, _ block: ChannelBlocks.Block) {
    let taps = convolution.vertical.window * convolution.horizontal.window
    let resident = keepsWeights ? (0..<taps).map { weight($0, block) } : []
    for run in columnRuns {
      build.forEach(build.index(0), build.index(run.count)) { number in
        let x = build.add(build.mul(number, run.extent), run.first)
        emitTile(rowRun, run, n: n, y: y, x: x, block, resident)
      }
    }
  }

  private func weight(_ tap: Int, _ block: ChannelBlocks.Block) -> LoopValue {
    build.load(
      LoopType(.f32, lanes: block.lanes), Address(filters, build.add(block.channel, tap * convolution.channels)),
      mask: block.mask)
  }

  /// One vector of the image, as floats.
  private func pixels(at address: Address, _ block: ChannelBlocks.Block) -> LoopValue {
    let type = LoopType(.f32, lanes: block.lanes)
    guard convolution.element != .f32 else { return build.load(type, address, mask: block.mask) }
    let bytes = build.load(type.with(.i8), address, mask: block.mask)
    return build.convert(convolution.element == .i8 ? .signedToFloat : .unsignedToFloat, bytes, to: type)
  }

  private func emitTile(
    _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, n: LoopValue, y: LoopValue, x: LoopValue,
    _ block: ChannelBlocks.Block,
    _ resident: [LoopValue]
  ) {
    let (vertical, horizontal, pitch) = (convolution.vertical, convolution.horizontal, convolution.pitch)
    let type = LoopType(.f32, lanes: block.lanes)
    var base = build.mul(n, vertical.input * horizontal.input * pitch)
    base = build.add(base, build.mul(y, vertical.stride * horizontal.input * pitch))
    base = build.add(base, build.mul(x, horizontal.stride * pitch))
    base = build.add(base, -(vertical.before * horizontal.input + horizontal.before) * pitch)
    base = build.add(base, block.channel)
    var sums = [[LoopValue]](
      repeating: (0..<columnRun.extent).map { _ in build.zero(type) }, count: rowRun.extent)
    for iy in 0..<convolution.span(vertical, rowRun.extent) {
      for ix in 0..<convolution.span(horizontal, columnRun.extent) {
        let uses = convolution.uses(of: iy, ix, rowRun, columnRun)
        guard !uses.isEmpty else { continue }
        let address = Address(image, base, offset: (iy * horizontal.input + ix) * pitch)
        let value = pixels(at: address, block)
        for (dy, dx, tap) in uses {
          sums[dy][dx] = build.fma(value, keepsWeights ? resident[tap] : weight(tap, block), sums[dy][dx])
        }
      }
    }
    for dy in 0..<rowRun.extent {
      let bases = epilogue.bases(convolution.hasRows ? [n, build.add(y, dy)] : [n])
      for dx in 0..<columnRun.extent {
        let sum = sums[dy][dx]
        epilogue.store(
          convolution.element == .f32 ? sum : build.convert(.floatToSigned, sum, to: type.with(.i32)), bases: bases,
          row: x, rowOffset: dx, column: block.channel, columnOffset: 0, mask: block.mask)
      }
    }
  }
}

import IR
import Support
import Targets

/// Depthwise convolutions in f32 over images of known size: one filter a channel, lanes over channels.
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
  let image: BufferID
  /// `[taps, channels]`.
  let filters: BufferID
  let epilogue: Epilogue
  /// Whether the result has a row axis of its own (two spatial axes).
  let hasRows: Bool

  /// Taps that are kept in registers over a row of tiles.
  private static let residentTaps = 9

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try EpilogueEmitter(scope, epilogue)
    let from = scope.buffer(image, .f32, .read)
    let weights = scope.buffer(filters, .f32, .read)
    let lanes = scope.profile.lanes(bits: 32)
    scope.work = batch * (vertical.allTaps * horizontal.allTaps * channels)
    // Sums, weights and one input vector have to fit the registers.
    let isLarge = scope.profile.vectorRegisters >= 32
    let rowRuns = vertical.runs(extent: Swift.min(2, vertical.output), isEven: false)
    let columnRuns = horizontal.runs(extent: Swift.min(isLarge ? 7 : 3, horizontal.output), isEven: true)
    let rowTiles = rowRuns.reduce(0) { $0 + $1.count }
    let taps = vertical.window * horizontal.window
    let zero = build.index(0)

    func emitTile(
      _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, n: LoopValue, y: LoopValue, x: LoopValue,
      channel: LoopValue, lanes: Int, mask: LoopValue?, resident: [LoopValue]
    ) {
      let type = LoopType(.f32, lanes: lanes)
      func weight(_ tap: Int) -> LoopValue {
        if !resident.isEmpty { return resident[tap] }
        return build.load(type, Address(weights, build.add(channel, tap * channels)), mask: mask)
      }
      var base = build.mul(n, vertical.input * horizontal.input * channels)
      base = build.add(base, build.mul(y, vertical.stride * horizontal.input * channels))
      base = build.add(base, build.mul(x, horizontal.stride * channels))
      base = build.add(base, -(vertical.before * horizontal.input + horizontal.before) * channels)
      base = build.add(base, channel)
      var sums = [[LoopValue]](
        repeating: (0..<columnRun.extent).map { _ in build.zero(type) }, count: rowRun.extent)
      for iy in 0..<span(vertical, rowRun.extent) {
        for ix in 0..<span(horizontal, columnRun.extent) {
          let uses = uses(of: iy, ix, rowRun, columnRun)
          guard !uses.isEmpty else { continue }
          let address = Address(from, base, offset: (iy * horizontal.input + ix) * channels)
          let value = build.load(type, address, mask: mask)
          for (dy, dx, tap) in uses { sums[dy][dx] = build.fma(value, weight(tap), sums[dy][dx]) }
        }
      }
      for dy in 0..<rowRun.extent {
        let bases = emitter.bases(hasRows ? [n, build.add(y, dy)] : [n])
        for dx in 0..<columnRun.extent {
          emitter.store(
            sums[dy][dx], bases: bases, row: x, rowOffset: dx, column: channel, columnOffset: 0, mask: mask)
        }
      }
    }

    /// One row of tiles over one block of channels.
    func emitRow(
      _ rowRun: WindowAxis.Run, n: LoopValue, y: LoopValue, channel: LoopValue, lanes: Int, mask: LoopValue?
    ) {
      var resident: [LoopValue] = []
      if taps <= Self.residentTaps, isLarge {
        resident = (0..<taps).map { tap in
          build.load(
            LoopType(.f32, lanes: lanes), Address(weights, build.add(channel, tap * channels)), mask: mask)
        }
      }
      for run in columnRuns {
        build.forEach(zero, build.index(run.count)) { number in
          emitTile(
            rowRun, run, n: n, y: y, x: build.add(build.mul(number, run.extent), run.first), channel: channel,
            lanes: lanes, mask: mask, resident: resident)
        }
      }
    }

    scope.partition(batch * rowTiles, grain: Swift.max(1, 16384 / (taps * channels * horizontal.output * 2 + 1))) {
      from, to in
      build.forEach(from, to) { unit in
        let n = batch == 1 ? zero : build.div(unit, build.index(rowTiles))
        let rowTile = batch == 1 ? unit : build.rem(unit, build.index(rowTiles))
        var firstTile = 0
        for run in rowRuns {
          let start = firstTile
          let inside = build.binary(
            .and, build.compare(.ge, rowTile, build.index(start)),
            build.compare(.lt, rowTile, build.index(start + run.count)))
          build.ifElse(
            inside,
            then: {
              let y = build.add(build.mul(build.sub(rowTile, build.index(start)), run.extent), run.first)
              build.forEach(zero, build.index(channels / lanes)) { block in
                emitRow(run, n: n, y: y, channel: build.mul(block, lanes), lanes: lanes, mask: nil)
              }
              emitTail(lanes, zero) { channel, lanes, mask in
                emitRow(run, n: n, y: y, channel: channel, lanes: lanes, mask: mask)
              }
              return []
            })
          firstTile += run.count
        }
      }
    }
    if let failure = emitter.failure { throw failure }

    /// The channels that fill no vector: masked where that is cheap, else in narrower vectors.
    func emitTail(_ lanes: Int, _ zero: LoopValue, _ body: (LoopValue, Int, LoopValue?) -> Void) {
      var rest = channels % lanes
      guard rest > 0 else { return }
      if scope.profile.hasMaskedMemory {
        return body(build.index(channels - rest), lanes, build.prefixMask(build.index(rest), lanes: lanes))
      }
      var width = lanes
      while rest > 0 {
        width /= 2
        guard rest >= width else { continue }
        body(build.index(channels - rest), width, nil)
        rest -= width
      }
    }
  }

  /// Input indices that a tile of `extent` outputs touches.
  private func span(_ axis: WindowAxis, _ extent: Int) -> Int {
    (extent - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1
  }

  /// Which sums of a tile an input vector feeds, and through which tap.
  private func uses(
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

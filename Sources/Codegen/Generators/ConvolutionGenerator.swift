import IR
import Support
import Targets

/// Convolutions over images of known size as matrix products whose rows are pixels.
///
/// A tile is a run of pixels in one output row, or several whole rows of a narrow
/// image, times a panel of filters. For every filter tap it is known which pixels
/// of the tile meet the image there: only those get a multiply-add, so nothing is
/// padded, copied or masked. Tiles whose taps behave alike share their code: a
/// 3x3 filter needs nine variants (corners, edges, inside).
struct ConvolutionGenerator {
  let multiplication: Multiplication
  let batch: Dim
  /// A one-dimensional convolution has one row.
  let vertical: WindowAxis
  let horizontal: WindowAxis
  /// Channels of the image, and of one group.
  let channels: Int
  let groupChannels: Int
  let groups: Int
  /// Of one group.
  let layout: PanelLayout
  let tile: Tile
  let image: BufferID
  let panels: BufferID
  let epilogue: Epilogue
  /// Whether the result has a row axis of its own (two spatial axes).
  let hasRows: Bool

  private static let cachedPanelBytes = 256 << 10

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try EpilogueEmitter(scope, epilogue)
    let left = scope.buffer(image, multiplication.leftScalar, .read)
    let panel = scope.buffer(panels, multiplication.panelScalar, .read, alignment: 64)
    scope.work = batch * executedProducts
    let rowsPerTile =
      horizontal.output >= tile.rows ? 1 : Swift.max(1, Swift.min(vertical.output, tile.rows / horizontal.output))
    let rowRuns = vertical.runs(extent: rowsPerTile, isEven: false)
    let columnRuns = horizontal.runs(
      extent: rowsPerTile > 1 ? horizontal.output : Swift.min(tile.rows, horizontal.output),
      isEven: true)
    let rowTiles = rowRuns.reduce(0) { $0 + $1.count }
    let panelCount = layout.panels.constant ?? 1
    let weightBytes = (layout.elements.constant ?? 0) * groups * multiplication.panelScalar.bytes
    let panelsOutermost = weightBytes > Self.cachedPanelBytes
    let tilesInAll = rowTiles * columnRuns.reduce(0) { $0 + $1.count }
    let imageStride = vertical.input * horizontal.input * channels

    func emitTile(
      _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, n: LoopValue, y: LoopValue, x: LoopValue,
      rowTile: LoopValue,
      panelNumber: LoopValue, group: LoopValue, vectors: Int, maskTail: Int?
    ) {
      // The element under tap (0, 0) of the tile's first pixel; its offset may be negative where padding begins.
      var base = build.mul(n, imageStride)
      base = build.add(base, build.mul(y, vertical.stride * horizontal.input * channels))
      base = build.add(base, build.mul(x, horizontal.stride * channels))
      base = build.add(base, build.mul(group, groupChannels))
      base = build.add(base, -(vertical.before * horizontal.input + horizontal.before) * channels)
      var rows: [TileRow] = []
      for dy in 0..<rowRun.extent {
        for dx in 0..<columnRun.extent {
          rows.append(
            TileRow(
              base: base, offset: (dy * vertical.stride * horizontal.input + dx * horizontal.stride) * channels))
        }
      }
      let panelBase = build.add(
        build.mul(group, scope.index(layout.elements)), build.mul(panelNumber, scope.index(layout.panelElements)))
      var tileEmitter = TileEmitter(
        scope: scope, multiplication: multiplication, left: left, panel: panel, vectors: vectors,
        panelVectors: vectors, unroll: tile.unroll)
      if panelsOutermost, let panelElements = layout.panelElements.constant, let depth = layout.depth.constant {
        let bytes = panelElements * multiplication.panelScalar.bytes
        let steps = Swift.max(1, depth / multiplication.group)
        let perStep = Swift.max(4, nextPowerOfTwo((bytes / steps + tilesInAll - 1) / tilesInAll))
        let share = build.mul(rowTile, perStep * steps / multiplication.panelScalar.bytes)
        tileEmitter.prefetch = (perStep, build.add(build.add(panelBase, panelElements), share))
      }
      let sums = tileEmitter.emit(rows: rows, segments: segments(rowRun, columnRun), panelBase: panelBase)
      let filters = build.mul(group, scope.index(layout.columns))
      let column = build.add(filters, build.mul(panelNumber, layout.width))
      let lanes = multiplication.lanes
      for dy in 0..<rowRun.extent {
        let bases = emitter.bases(hasRows ? [n, build.add(y, dy)] : [n])
        for dx in 0..<columnRun.extent {
          for vector in 0..<vectors {
            let tail = vector == vectors - 1 ? maskTail : nil
            emitter.store(
              sums[dy * columnRun.extent + dx][vector], bases: bases, row: x, rowOffset: dx, column: column,
              columnOffset: vector * lanes, mask: tail.map { build.prefixMask(build.index($0), lanes: lanes) })
          }
        }
      }
    }

    /// All tiles of row tile number `rowTile` in one panel.
    func emitRow(
      n: LoopValue, rowTile: LoopValue, panelNumber: LoopValue, group: LoopValue, vectors: Int, maskTail: Int?
    ) {
      var firstTile = 0
      for run in rowRuns {
        let low = build.compare(.ge, rowTile, build.index(firstTile))
        let high = build.compare(.lt, rowTile, build.index(firstTile + run.count))
        let start = firstTile
        let emitColumns = {
          let y = build.add(build.mul(build.sub(rowTile, build.index(start)), run.extent), run.first)
          for columnRun in columnRuns {
            build.forEach(build.index(0), build.index(columnRun.count)) { number in
              emitTile(
                run, columnRun, n: n, y: y, x: build.add(build.mul(number, columnRun.extent), columnRun.first),
                rowTile: rowTile, panelNumber: panelNumber, group: group, vectors: vectors, maskTail: maskTail)
            }
          }
        }
        if rowRuns.count == 1 {
          emitColumns()
        } else {
          build.ifElse(
            build.binary(.and, low, high),
            then: {
              emitColumns()
              return []
            })
        }
        firstTile += run.count
      }
    }

    /// Panels `from ..< to` of a group, full ones and the narrow last one.
    func forEachPanel(
      _ from: LoopValue, _ to: LoopValue, _ body: (_ panel: LoopValue, _ vectors: Int, _ maskTail: Int?) -> Void
    ) {
      let full = layout.fullPanels.constant ?? 0
      let rest = layout.restColumns.constant ?? 0
      build.forEach(from, build.min(to, build.index(full))) { body($0, layout.vectors, nil) }
      guard rest > 0 else { return }
      let vectors = (rest + multiplication.lanes - 1) / multiplication.lanes
      let tail = rest % multiplication.lanes
      build.forEach(build.max(from, build.index(full)), to) { body($0, vectors, tail == 0 ? nil : tail) }
    }

    let zero = build.index(0)
    let units = batch * rowTiles
    func forEachUnit(_ from: LoopValue, _ to: LoopValue, _ body: (LoopValue, LoopValue) -> Void) {
      build.forEach(from, to) { unit in
        if batch == 1 { return body(zero, unit) }
        body(build.div(unit, build.index(rowTiles)), build.rem(unit, build.index(rowTiles)))
      }
    }
    // Small images with many filters split by filters, so that each thread streams its own weights.
    let splitPanels =
      groups == 1 && batch == 1 && panelCount >= 2 && vertical.output * horizontal.output < 28 * 28
    let unitWork = Swift.max(1, executedProducts / Swift.max(1, splitPanels ? panelCount : rowTiles))
    let grain = Swift.max(1, 65536 / unitWork)
    scope.partition(splitPanels ? Dim(panelCount) : units, grain: grain) { from, to in
      let (unitFrom, unitTo) = splitPanels ? (zero, scope.index(units)) : (from, to)
      let (panelFrom, panelTo) = splitPanels ? (from, to) : (zero, build.index(panelCount))
      build.forEach(zero, build.index(groups)) { group in
        if panelsOutermost {
          forEachPanel(panelFrom, panelTo) { panelNumber, vectors, maskTail in
            forEachUnit(unitFrom, unitTo) { n, rowTile in
              emitRow(
                n: n, rowTile: rowTile, panelNumber: panelNumber, group: group, vectors: vectors, maskTail: maskTail)
            }
          }
        } else {
          forEachUnit(unitFrom, unitTo) { n, rowTile in
            forEachPanel(panelFrom, panelTo) { panelNumber, vectors, maskTail in
              emitRow(
                n: n, rowTile: rowTile, panelNumber: panelNumber, group: group, vectors: vectors, maskTail: maskTail)
            }
          }
        }
      }
    }
    if let failure = emitter.failure { throw failure }
  }

  /// The runs along the summed axis of one tile: one a tap, neighbouring taps of a filter row merged where the same
  /// pixels take part and their channels are neighbours in memory.
  private func segments(_ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run) -> [TileSegment] {
    let depthPerTap = (layout.depth.constant ?? 0) / (vertical.window * horizontal.window)
    let canMerge = horizontal.dilation == 1 && groups == 1 && depthPerTap == groupChannels
    var result: [TileSegment] = []
    for ky in 0..<vertical.window {
      var open: TileSegment?
      var openPixels: [Bool] = []
      for kx in 0..<horizontal.window {
        let offset = (ky * vertical.dilation * horizontal.input + kx * horizontal.dilation) * channels
        var pixels: [Bool] = []
        for dy in 0..<rowRun.extent {
          for dx in 0..<columnRun.extent {
            pixels.append(rowRun.taps[dy].contains(ky) && columnRun.taps[dx].contains(kx))
          }
        }
        if canMerge, var segment = open, openPixels == pixels {
          segment.length = segment.length + groupChannels
          open = segment
          continue
        }
        if let open { result.append(open) }
        open = TileSegment(
          rowOffsets: pixels.map { $0 ? offset : nil }, length: Dim(groupChannels),
          start: (ky * horizontal.window + kx) * depthPerTap)
        openPixels = pixels
      }
      if let open { result.append(open) }
    }
    return result.filter { segment in segment.rowOffsets.contains { $0 != nil } }
  }

  /// Multiply-adds of one image, without those that padding saves.
  private var executedProducts: Int {
    vertical.allTaps * horizontal.allTaps * groupChannels * groups * (layout.columns.constant ?? 0)
  }
}

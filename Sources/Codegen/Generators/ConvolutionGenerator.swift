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
  /// Elements from one pixel of the image to the next: its channels, or more where it is part of a wider one.
  let pitch: Int
  /// Channels of one group.
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

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let rowsPerTile =
      horizontal.output >= tile.rows ? 1 : Swift.max(1, Swift.min(vertical.output, tile.rows / horizontal.output))
    let rowTiles = RowTiles(batch: batch, runs: vertical.runs(extent: rowsPerTile, isEven: false))
    let columnRuns = horizontal.runs(
      extent: rowsPerTile > 1 ? horizontal.output : Swift.min(tile.rows, horizontal.output), isEven: true)
    let emitter = try ConvolutionEmitter(scope, self, rowTiles, columnRuns)
    emitter.epilogue.allowOverwriting()
    scope.work = batch * executedProducts
    let panelCount = layout.panels.constant ?? 1

    let zero = build.index(0)
    let units = batch * rowTiles.count
    // Small images with many filters split by filters, so that each thread streams its own weights.
    let splitPanels =
      groups == 1 && batch == 1 && panelCount >= 2 && vertical.output * horizontal.output < 28 * 28
    let unitWork = Swift.max(1, executedProducts / Swift.max(1, splitPanels ? panelCount : rowTiles.count))
    let grain = Swift.max(1, 65536 / unitWork)
    scope.partition(splitPanels ? Dim(panelCount) : units, grain: grain) { from, to in
      let (unitFrom, unitTo) = splitPanels ? (zero, scope.index(units)) : (from, to)
      let (panelFrom, panelTo) = splitPanels ? (from, to) : (zero, build.index(panelCount))
      build.forEach(zero, build.index(groups)) { group in
        if emitter.panelsOutermost {
          layout.forEachPanel(scope, panelFrom, panelTo) { panel in
            rowTiles.forEach(build, unitFrom, unitTo) { emitter.emitRow($0, $1, group, panel) }
          }
        } else {
          rowTiles.forEach(build, unitFrom, unitTo) { n, rowTile in
            layout.forEachPanel(scope, panelFrom, panelTo) { emitter.emitRow(n, rowTile, group, $0) }
          }
        }
      }
    }
    if let failure = emitter.epilogue.failure { throw failure }
  }

  /// The runs along the summed axis of one tile: one a tap, neighbouring taps of a filter row merged where the same
  /// pixels take part and their channels are neighbours in memory.
  fileprivate func segments(_ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run) -> [TileSegment] {
    let depthPerTap = (layout.depth.constant ?? 0) / (vertical.window * horizontal.window)
    let canMerge = horizontal.dilation == 1 && pitch == groupChannels && depthPerTap == groupChannels
    var result: [TileSegment] = []
    for ky in 0..<vertical.window {
      var open: TileSegment?
      var openPixels: [Bool] = []
      for kx in 0..<horizontal.window {
        let offset = (ky * vertical.dilation * horizontal.input + kx * horizontal.dilation) * pitch
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

/// Emits the tiles of a convolution.
private struct ConvolutionEmitter {
  let panelsOutermost: Bool
  let epilogue: EpilogueEmitter
  private let scope: KernelScope
  private let convolution: ConvolutionGenerator
  private let left: BufferReference
  private let panel: BufferReference
  private let rowTiles: RowTiles
  private let columnRuns: [WindowAxis.Run]
  private let tilesInRow: Int
  private var build: KernelBuilder { scope.build }

  init(
    _ scope: KernelScope, _ convolution: ConvolutionGenerator, _ rowTiles: RowTiles, _ columnRuns: [WindowAxis.Run]
  ) throws(Diagnostic) {
    self.scope = scope
    self.convolution = convolution
    self.rowTiles = rowTiles
    self.columnRuns = columnRuns
    let (multiplication, layout) = (convolution.multiplication, convolution.layout)
    epilogue = try EpilogueEmitter(scope, convolution.epilogue)
    left = scope.buffer(convolution.image, multiplication.leftScalar, .read)
    panel = scope.buffer(convolution.panels, multiplication.panelScalar, .read, alignment: 64)
    tilesInRow = columnRuns.reduce(0) { $0 + $1.count }
    let weightBytes = (layout.elements.constant ?? 0) * convolution.groups * multiplication.panelScalar.bytes
    panelsOutermost = weightBytes > PanelLayout.cachedBytes
  }

  /// Where a tile lies: its image and its first pixel; and which of the image's tiles it is.
  private struct TilePlace {
    var n: LoopValue
    var y: LoopValue
    var x: LoopValue
    var number: LoopValue
  }

  /// All tiles of row tile number `rowTile` of image `n` in one panel.
  func emitRow(_ n: LoopValue, _ rowTile: LoopValue, _ group: LoopValue, _ panel: PanelPlace) {
    rowTiles.choose(build, rowTile) { run, y in
      var first = 0
      for columnRun in columnRuns {
        build.forEach(build.index(0), build.index(columnRun.count)) { number in
          let x = build.add(build.mul(number, columnRun.extent), columnRun.first)
          let tile = build.add(build.mul(rowTile, tilesInRow), build.add(number, first))
          emitTile(run, columnRun, TilePlace(n: n, y: y, x: x, number: tile), group, panel)
        }
        first += columnRun.count
      }
    }
  }

  private func emitTile(
    _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, _ place: TilePlace, _ group: LoopValue,
    _ panelPlace: PanelPlace
  ) {
    let (layout, vectors) = (convolution.layout, panelPlace.vectors)
    let panelBase = build.add(
      build.mul(group, scope.index(layout.elements)), build.mul(panelPlace.number, scope.index(layout.panelElements)))
    var tile = TileEmitter(
      scope: scope, multiplication: convolution.multiplication, left: left, panel: panel, vectors: vectors,
      panelVectors: vectors, unroll: convolution.tile.unroll)
    if panelsOutermost, let depth = layout.depth.constant {
      tile.prefetchNext(layout, panelBase, depth: depth, tiles: rowTiles.count * tilesInRow) { place.number }
    }
    let sums = tile.emit(
      rows: rows(rowRun, columnRun, place, group), segments: convolution.segments(rowRun, columnRun),
      panelBase: panelBase)
    let filters = build.mul(group, scope.index(layout.columns))
    let column = build.add(filters, build.mul(panelPlace.number, layout.width))
    let lanes = convolution.multiplication.lanes
    for dy in 0..<rowRun.extent {
      let bases = epilogue.bases(convolution.hasRows ? [place.n, build.add(place.y, dy)] : [place.n])
      for dx in 0..<columnRun.extent {
        for vector in 0..<vectors {
          epilogue.store(
            sums[dy * columnRun.extent + dx][vector], bases: bases, row: place.x, rowOffset: dx, column: column,
            columnOffset: vector * lanes, mask: panelPlace.mask(of: vector, lanes: lanes, build))
        }
      }
    }
  }

  /// The pixels of a tile.
  private func rows(
    _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, _ place: TilePlace, _ group: LoopValue
  ) -> [TileRow] {
    let (vertical, horizontal, pitch) = (convolution.vertical, convolution.horizontal, convolution.pitch)
    // The element under tap (0, 0) of the tile's first pixel; its offset may be negative where padding begins.
    var base = build.mul(place.n, vertical.input * horizontal.input * pitch)
    base = build.add(base, build.mul(place.y, vertical.stride * horizontal.input * pitch))
    base = build.add(base, build.mul(place.x, horizontal.stride * pitch))
    base = build.add(base, build.mul(group, convolution.groupChannels))
    base = build.add(base, -(vertical.before * horizontal.input + horizontal.before) * pitch)
    var rows: [TileRow] = []
    for dy in 0..<rowRun.extent {
      for dx in 0..<columnRun.extent {
        let offset = (dy * vertical.stride * horizontal.input + dx * horizontal.stride) * pitch
        rows.append(TileRow(base: base, offset: offset))
      }
    }
    return rows
  }
}

import IR
import Support
import Targets

/// Matrix products of any shape: rows of the left operand against packed panels of the right one.
///
/// The result is written once, with the whole epilogue applied in registers; the
/// summed axis is never blocked. Rows are cut into tiles as even as possible
/// where their number is known; otherwise full tiles are followed by a tail of
/// tiles of 8, 4, 2 and 1 rows.
struct MatMulGenerator {
  let multiplication: Multiplication
  let tile: Tile
  /// Extents of the batch axes of the result.
  let batch: [Dim]
  let rows: Dim
  let depth: Dim
  let left: Epilogue.Operand
  /// The summed axis' step in the left operand; `left.columnStride` is not used.
  let leftStep: Dim
  let layout: PanelLayout
  let panels: BufferID
  /// Elements in front of the first matrix.
  var panelOffset: Dim = 0
  /// Elements from one batch's packed matrix to the next, one stride a batch axis.
  let panelBatchStrides: [Dim]
  let epilogue: Epilogue

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try MatMulEmitter(scope, self)
    emitter.epilogue.allowOverwriting()
    let batchCount = batch.reduce(Dim(1), *)
    scope.work = batchCount * rows * depth * layout.columns
    let zero = build.index(0)
    let tiles = emitter.plan.tiles
    if batchCount == 1 {
      let bases = emitter.bases(batch.map { _ in zero })
      // Split what is larger: the panels when weights outweigh rows, else the rows.
      let splitPanels = (layout.panels.constant ?? 0) >= 4 && (rows.constant.map { $0 <= 256 } ?? false) || rows == 1
      let units = splitPanels ? layout.panels : tiles
      let unitWork = (scope.work.constant ?? Int.max) / Swift.max(1, units.constant ?? 1)
      let grain = Swift.max(1, 65536 / Swift.max(1, unitWork))
      scope.partition(units, grain: grain) { from, to in
        let rows = splitPanels ? (zero, scope.index(tiles)) : (from, to)
        let panels = splitPanels ? (from, to) : (zero, scope.index(layout.panels))
        emitter.emit(rows: rows, panels: panels, panelsOutermost: emitter.panelsOutermost, bases)
      }
    } else {
      scope.partition(batchCount) { from, to in
        build.forEach(from, to) { unit in
          let bases = emitter.bases(scope.decompose(unit, batch))
          emitter.emit(
            rows: (zero, scope.index(tiles)), panels: (zero, scope.index(layout.panels)), panelsOutermost: false, bases)
        }
      }
    }
    if let failure = emitter.epilogue.failure { throw failure }
  }
}

/// Emits the tiles of a matrix product.
private struct MatMulEmitter {
  let plan: RowPlan
  let panelsOutermost: Bool
  let epilogue: EpilogueEmitter
  private let scope: KernelScope
  private let product: MatMulGenerator
  private let left: BufferReference
  private let panel: BufferReference
  private var build: KernelBuilder { scope.build }

  /// Where one matrix of the batch begins in every operand.
  struct Bases {
    var left: LoopValue
    var panels: LoopValue
    var epilogue: [LoopValue]
  }

  init(_ scope: KernelScope, _ product: MatMulGenerator) throws(Diagnostic) {
    self.scope = scope
    self.product = product
    let multiplication = product.multiplication
    epilogue = try EpilogueEmitter(scope, product.epilogue)
    left = scope.buffer(product.left.buffer, multiplication.leftScalar, .read)
    panel = scope.buffer(product.panels, multiplication.panelScalar, .read, alignment: 64)
    plan = RowPlan(product.rows, tallest: product.tile.rows)
    let weightBytes = (product.layout.elements * multiplication.panelScalar.bytes).constant ?? 0
    panelsOutermost = weightBytes > PanelLayout.cachedBytes
  }

  func bases(_ indices: [LoopValue]) -> Bases {
    var leftBase = scope.index(product.left.offset)
    var panelBase = scope.index(product.panelOffset)
    for (axis, index) in indices.enumerated() {
      leftBase = build.add(leftBase, build.mul(index, scope.index(product.left.batchStrides[axis])))
      panelBase = build.add(panelBase, build.mul(index, scope.index(product.panelBatchStrides[axis])))
    }
    return Bases(left: leftBase, panels: panelBase, epilogue: epilogue.bases(indices))
  }

  /// All tiles of these row tiles and panels.
  func emit(
    rows: (LoopValue, LoopValue), panels: (LoopValue, LoopValue), panelsOutermost: Bool, _ bases: Bases
  ) {
    if panelsOutermost {
      product.layout.forEachPanel(scope, panels.0, panels.1) { panel in
        plan.forEachTile(scope, rows.0, rows.1) { emitTile($0, panel, bases) }
      }
    } else {
      plan.forEachTile(scope, rows.0, rows.1) { tile in
        product.layout.forEachPanel(scope, panels.0, panels.1) { emitTile(tile, $0, bases) }
      }
    }
  }

  private func emitTile(_ tilePlace: RowPlan.TilePlace, _ place: PanelPlace, _ bases: Bases) {
    let (row, count) = (tilePlace.row, tilePlace.height)
    let (layout, stride) = (product.layout, product.left.rowStride)
    let rowStart = build.add(bases.left, build.mul(row, scope.index(stride)))
    let tileRows = (0..<count).map { number in
      if let stride = stride.constant { return TileRow(base: rowStart, offset: number * stride) }
      return TileRow(base: build.add(rowStart, scope.index(stride * number)), offset: 0)
    }
    let panelBase = build.add(bases.panels, build.mul(place.number, scope.index(layout.panelElements)))
    var tile = TileEmitter(
      scope: scope, multiplication: product.multiplication, left: left, panel: panel, vectors: place.vectors,
      panelVectors: place.vectors, unroll: product.tile.unroll)
    if panelsOutermost, let tiles = plan.tileCount, let depth = product.depth.constant {
      tile.prefetchNext(layout, panelBase, depth: depth, tiles: tiles) { tilePlace.number }
    }
    let segment = TileSegment(
      rowOffsets: Array(repeating: 0, count: count), length: product.depth, step: product.leftStep, start: 0)
    let sums = tile.emit(rows: tileRows, segments: [segment], panelBase: panelBase)
    let column = build.mul(place.number, layout.width)
    let lanes = product.multiplication.lanes
    for (number, rowSums) in sums.enumerated() {
      for (vector, sum) in rowSums.enumerated() {
        epilogue.store(
          sum, bases: bases.epilogue, row: row, rowOffset: number, column: column, columnOffset: vector * lanes,
          mask: place.mask(of: vector, lanes: lanes, build))
      }
    }
  }
}

func nextPowerOfTwo(_ value: Int) -> Int {
  var power = 1
  while power < value { power *= 2 }
  return power
}

extension KernelScope {
  /// The index along each axis of unit number `unit`, row-major.
  func decompose(_ unit: LoopValue, _ extents: [Dim]) -> [LoopValue] {
    var rest = unit
    var indices = [LoopValue](repeating: unit, count: extents.count)
    for axis in extents.indices.reversed() {
      if axis == 0 {
        indices[0] = rest
      } else if extents[axis] == 1 {
        indices[axis] = build.index(0)
      } else {
        indices[axis] = build.rem(rest, index(extents[axis]))
        rest = build.div(rest, index(extents[axis]))
      }
    }
    return indices
  }
}

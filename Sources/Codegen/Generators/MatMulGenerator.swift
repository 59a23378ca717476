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

  /// Packed weights above this are walked panel by panel, so that each is read once.
  private static let cachedPanelBytes = 256 << 10

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try EpilogueEmitter(scope, epilogue)
    let leftReference = scope.buffer(left.buffer, multiplication.leftScalar, .read)
    let panelReference = scope.buffer(panels, multiplication.panelScalar, .read, alignment: 64)
    let batchCount = batch.reduce(Dim(1), *)
    scope.work = batchCount * rows * depth * layout.columns
    let width = layout.width
    let panelBytes = (layout.panelElements * multiplication.panelScalar.bytes).constant ?? 0
    let weightBytes = (layout.elements * multiplication.panelScalar.bytes).constant ?? 0
    let panelsOutermost = weightBytes > Self.cachedPanelBytes
    let plan = RowPlan(rows, tallest: tile.rows)

    /// One tile of `count` rows from `row` on, over panel number `panel`.
    func emitTile(
      _ row: LoopValue, _ count: Int, _ panel: LoopValue, vectors: Int, columnsLeft: LoopValue?, maskTail: Int?,
      _ bases: (left: LoopValue, panels: LoopValue, epilogue: [LoopValue])
    ) {
      let rowStart = build.add(bases.left, build.mul(row, scope.index(left.rowStride)))
      let tileRows = (0..<count).map { number in
        if let stride = left.rowStride.constant { return TileRow(base: rowStart, offset: number * stride) }
        return TileRow(base: build.add(rowStart, scope.index(left.rowStride * number)), offset: 0)
      }
      let panelBase = build.add(bases.panels, build.mul(panel, scope.index(layout.panelElements)))
      var tileEmitter = TileEmitter(
        scope: scope, multiplication: multiplication, left: leftReference, panel: panelReference, vectors: vectors,
        panelVectors: vectors, unroll: tile.unroll)
      if panelsOutermost, let tiles = plan.tileCount, panelBytes > 0, let depth = depth.constant {
        let steps = Swift.max(1, depth / multiplication.group)
        let share = (panelBytes / steps + tiles - 1) / tiles
        let perStep = Swift.max(4, nextPowerOfTwo(share))
        let start = build.mul(
          build.div(row, build.index(Swift.max(1, tile.rows))), perStep * steps / multiplication.panelScalar.bytes)
        tileEmitter.prefetch = (
          perStep, build.add(build.add(panelBase, scope.index(layout.panelElements)), start)
        )
      }
      let segment = TileSegment(
        rowOffsets: Array(repeating: 0, count: count), length: depth, step: leftStep, start: 0)
      let sums = tileEmitter.emit(rows: tileRows, segments: [segment], panelBase: panelBase)
      let column = build.mul(panel, width)
      let lanes = multiplication.lanes
      for (number, row_) in sums.enumerated() {
        for (vector, sum) in row_.enumerated() {
          var mask: LoopValue?
          if let columnsLeft {
            mask = build.prefixMask(build.sub(columnsLeft, build.index(vector * lanes)), lanes: lanes)
          } else if let maskTail, vector == vectors - 1 {
            mask = build.prefixMask(build.index(maskTail), lanes: lanes)
          }
          emitter.store(
            sum, bases: bases.epilogue, row: row, rowOffset: number, column: column, columnOffset: vector * lanes,
            mask: mask)
        }
      }
    }

    /// Panels `from ..< to`, full ones and the rest, each given to `body` with what a tile needs to know of it.
    func forEachPanel(
      _ from: LoopValue, _ to: LoopValue,
      _ body: (_ panel: LoopValue, _ vectors: Int, _ columnsLeft: LoopValue?, _ maskTail: Int?) -> Void
    ) {
      let full = scope.index(layout.fullPanels)
      build.forEach(from, build.min(to, full)) { body($0, layout.vectors, nil, nil) }
      if let rest = layout.restColumns.constant {
        guard rest > 0 else { return }
        let vectors = (rest + multiplication.lanes - 1) / multiplication.lanes
        let tail = rest % multiplication.lanes
        build.forEach(build.max(from, full), to) { body($0, vectors, nil, tail == 0 ? nil : tail) }
      } else {
        // How many vectors the last panel has is known at run time only: one narrow loop for each count.
        let rest = scope.index(layout.restColumns)
        let lanes = multiplication.lanes
        build.forEach(build.max(from, full), to) { panel in
          let needed = build.ceilDiv(rest, lanes)
          for vectors in 1...layout.vectors {
            build.ifElse(
              build.compare(.eq, needed, build.index(vectors)),
              then: {
                body(panel, vectors, rest, nil)
                return []
              })
          }
        }
      }
    }

    func bases(_ indices: [LoopValue]) -> (left: LoopValue, panels: LoopValue, epilogue: [LoopValue]) {
      var leftBase = scope.index(left.offset)
      var panelBase = scope.index(panelOffset)
      for (axis, index) in indices.enumerated() {
        leftBase = build.add(leftBase, build.mul(index, scope.index(left.batchStrides[axis])))
        panelBase = build.add(panelBase, build.mul(index, scope.index(panelBatchStrides[axis])))
      }
      return (leftBase, panelBase, emitter.bases(indices))
    }

    let zero = build.index(0)
    let tiles = plan.tiles
    if batchCount == 1 {
      let base = bases(batch.map { _ in zero })
      // Split what is larger: the panels when weights outweigh rows, else the rows.
      let splitPanels = (layout.panels.constant ?? 0) >= 4 && (rows.constant.map { $0 <= 256 } ?? false) || rows == 1
      let units = splitPanels ? layout.panels : tiles
      let unitWork = (scope.work.constant ?? Int.max) / Swift.max(1, units.constant ?? 1)
      let grain = Swift.max(1, 65536 / Swift.max(1, unitWork))
      scope.partition(units, grain: grain) { from, to in
        let (rowFrom, rowTo) = splitPanels ? (zero, scope.index(tiles)) : (from, to)
        let (panelFrom, panelTo) = splitPanels ? (from, to) : (zero, scope.index(layout.panels))
        if panelsOutermost {
          forEachPanel(panelFrom, panelTo) { panel, vectors, columnsLeft, maskTail in
            plan.forEachTile(scope, rowFrom, rowTo) { row, count in
              emitTile(row, count, panel, vectors: vectors, columnsLeft: columnsLeft, maskTail: maskTail, base)
            }
          }
        } else {
          plan.forEachTile(scope, rowFrom, rowTo) { row, count in
            forEachPanel(panelFrom, panelTo) { panel, vectors, columnsLeft, maskTail in
              emitTile(row, count, panel, vectors: vectors, columnsLeft: columnsLeft, maskTail: maskTail, base)
            }
          }
        }
      }
    } else {
      scope.partition(batchCount) { from, to in
        build.forEach(from, to) { unit in
          let base = bases(scope.decompose(unit, batch))
          plan.forEachTile(scope, zero, scope.index(tiles)) { row, count in
            forEachPanel(zero, scope.index(layout.panels)) { panel, vectors, columnsLeft, maskTail in
              emitTile(row, count, panel, vectors: vectors, columnsLeft: columnsLeft, maskTail: maskTail, base)
            }
          }
        }
      }
    }
    if let failure = emitter.failure { throw failure }
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

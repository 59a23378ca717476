import IR
import Support
import Targets

/// The second kernel of a convolution by Winograd: in every plane, tiles by channels times channels by filters.
struct WinogradProductGenerator {
  let plan: WinogradPlan
  let multiplication: Multiplication
  let tile: Tile
  /// Of one plane's filters.
  let layout: PanelLayout
  let inputs: BufferID
  let filters: BufferID
  let products: BufferID

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let left = scope.buffer(inputs, .f32, .read, alignment: 64)
    let panel = scope.buffer(filters, .f32, .read, alignment: 64)
    let target = scope.buffer(products, .f32, .write, alignment: 64)
    let rows = RowPlan(plan.tiles, tallest: tile.rows)
    let (leftPitch, targetPitch) = (plan.pitch(plan.channels), plan.pitch(plan.columns))
    let panelCount = layout.panels.constant ?? 1
    let filterBytes = (layout.elements.constant ?? 0) * plan.planes * 4
    scope.work = plan.tiles * (plan.planes * plan.channels * plan.columns)
    scope.partition(Dim(plan.planes * panelCount)) { from, to in
      build.forEach(from, to) { unit in
        let plane = build.div(unit, build.index(panelCount))
        let number = build.rem(unit, build.index(panelCount))
        let leftBase = build.mul(plane, scope.index(plan.planeStride(plan.channels)))
        let targetBase = build.mul(plane, scope.index(plan.planeStride(plan.columns)))
        layout.forEachPanel(scope, number, build.add(number, 1)) { place in
          let panelBase = build.add(
            build.mul(plane, scope.index(layout.elements)), build.mul(place.number, scope.index(layout.panelElements)))
          rows.forEachTile(scope, build.index(0), scope.index(rows.tiles)) { tilePlace in
            let (row, count) = (tilePlace.row, tilePlace.height)
            var emitter = TileEmitter(
              scope: scope, multiplication: multiplication, left: left, panel: panel, vectors: place.vectors,
              panelVectors: place.vectors, unroll: tile.unroll)
            if filterBytes > PanelLayout.cachedBytes, let tiles = rows.tileCount {
              emitter.prefetchNext(layout, panelBase, depth: plan.channels, tiles: tiles) { tilePlace.number }
            }
            let start = build.add(leftBase, build.mul(row, leftPitch))
            let sums = emitter.emit(
              rows: (0..<count).map { TileRow(base: start, offset: $0 * leftPitch) },
              segments: [
                TileSegment(rowOffsets: Array(repeating: 0, count: count), length: Dim(plan.channels), start: 0)
              ], panelBase: panelBase)
            var end = build.add(targetBase, build.mul(row, targetPitch))
            end = build.add(end, build.mul(place.number, layout.width))
            for (number, vectors) in sums.enumerated() {
              for (vector, sum) in vectors.enumerated() {
                build.store(
                  sum, Address(target, end, offset: number * targetPitch + vector * multiplication.lanes))
              }
            }
          }
        }
      }
    }
  }
}

import IR
import Support
import Targets

/// The third kernel of a convolution by Winograd: the products of each tile, transformed back, and what follows.
struct WinogradOutputGenerator {
  let plan: WinogradPlan
  let products: BufferID
  let epilogue: Epilogue

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let (build, transform) = (scope.build, plan.transform)
    let emitter = try EpilogueEmitter(scope, epilogue)
    emitter.allowOverwriting()
    let source = scope.buffer(products, .f32, .read, alignment: 64)
    let local = build.local("columns", .f32, count: transform.outputs * transform.products * plan.lanes)
    WinogradWalk(
      plan: plan, vertical: plan.resultAxis(plan.resultHeight), horizontal: plan.resultAxis(plan.resultWidth),
      channels: plan.columns
    ).forEachTile(scope) { emit(scope, source, local, emitter, $0) }
    if let failure = emitter.failure { throw failure }
  }

  /// One tile over one block of filters.
  private func emit(
    _ scope: KernelScope, _ source: BufferReference, _ local: BufferReference, _ emitter: EpilogueEmitter,
    _ tile: WinogradWalk.Tile
  ) {
    let (build, transform, size) = (scope.build, plan.transform, plan.transform.products)
    let (rowRun, columnRun, n, y, x, block) = (tile.rowRun, tile.columnRun, tile.n, tile.y, tile.x, tile.block)
    let (rowCount, columnCount) = (rowRun.taps[0].count, columnRun.taps[0].count)
    let type = LoopType(.f32, lanes: block.lanes)
    let number = build.add(build.mul(build.add(build.mul(n, plan.vertical.output), y), plan.horizontal.output), x)
    let place = build.add(build.mul(number, plan.pitch(plan.columns)), block.channel)
    let planeStride = plan.planeStride(plan.columns)
    build.forEach(build.index(0), build.index(size)) { column in
      let from = build.add(place, build.mul(column, scope.index(planeStride)))
      let values = (0..<size).map { row in
        build.load(type, Address(source, build.add(from, scope.index(planeStride * (row * size)))))
      }
      let to = build.mul(column, block.lanes)
      for (row, value) in transform.output(build, values).prefix(rowCount).enumerated() {
        build.store(value, Address(local, to, offset: row * size * block.lanes))
      }
    }
    let firstColumn = build.mul(x, transform.outputs)
    build.forEach(build.index(0), build.index(rowCount)) { row in
      let from = build.mul(row, size * block.lanes)
      let values = (0..<size).map { build.load(type, Address(local, from, offset: $0 * block.lanes)) }
      let bases = emitter.bases([n, build.add(build.mul(y, transform.outputs), row)])
      for (column, value) in transform.output(build, values).prefix(columnCount).enumerated() {
        emitter.store(
          value, bases: bases, row: firstColumn, rowOffset: column, column: block.channel, columnOffset: 0,
          mask: block.mask)
      }
    }
  }
}

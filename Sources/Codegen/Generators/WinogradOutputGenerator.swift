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
    let rowTiles = RowTiles(
      batch: plan.batch, runs: plan.resultAxis(plan.resultHeight).runs(extent: 1, isEven: false))
    let columnRuns = plan.resultAxis(plan.resultWidth).runs(extent: 1, isEven: false)
    let blocks = ChannelBlocks(channels: plan.columns, profile: scope.profile)
    scope.work = plan.tiles * (plan.columns * plan.planes * 2)
    let grain = Swift.max(1, 32768 / Swift.max(1, plan.horizontal.output * plan.columns * plan.planes))
    scope.partition(plan.batch * rowTiles.count, grain: grain) { from, to in
      rowTiles.forEach(build, from, to) { n, rowTile in
        rowTiles.choose(build, rowTile) { rowRun, y in
          blocks.forEach(build) { block in
            for columnRun in columnRuns {
              build.forEach(build.index(0), build.index(columnRun.count)) { number in
                let x = build.add(number, columnRun.first)
                emit(scope, source, local, emitter, rowRun, columnRun, n: n, y: y, x: x, block)
              }
            }
          }
        }
      }
    }
    if let failure = emitter.failure { throw failure }
  }

  /// One tile over one block of filters.
  private func emit(
    _ scope: KernelScope, _ source: BufferReference, _ local: BufferReference, _ emitter: EpilogueEmitter,
    _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, n: LoopValue, y: LoopValue, x: LoopValue,
    _ block: ChannelBlocks.Block
  ) {
    let (build, transform, size) = (scope.build, plan.transform, plan.transform.products)
    let (rowCount, columnCount) = (rowRun.taps[0].count, columnRun.taps[0].count)
    let type = LoopType(.f32, lanes: block.lanes)
    let tile = build.add(build.mul(build.add(build.mul(n, plan.vertical.output), y), plan.horizontal.output), x)
    let place = build.add(build.mul(tile, plan.pitch(plan.columns)), block.channel)
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

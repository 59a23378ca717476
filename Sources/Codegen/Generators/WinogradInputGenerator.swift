import IR
import Support
import Targets

/// The first kernel of a convolution by Winograd: the inputs of each tile, transformed, one plane an element.
///
/// Tiles at the border leave out what lies outside the image, which is zero. Columns are transformed first, into
/// local memory, since a whole tile of vectors does not fit the registers.
struct WinogradInputGenerator {
  let plan: WinogradPlan
  let image: BufferID
  /// Elements from one pixel of the image to the next.
  let pitch: Int
  let planes: BufferID

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let (build, size) = (scope.build, plan.transform.products)
    let source = scope.buffer(image, .f32, .read)
    let target = scope.buffer(planes, .f32, .write, alignment: 64)
    let local = build.local("columns", .f32, count: size * size * plan.lanes)
    let rowTiles = RowTiles(batch: plan.batch, runs: plan.vertical.runs(extent: 1, isEven: false))
    let columnRuns = plan.horizontal.runs(extent: 1, isEven: false)
    let blocks = ChannelBlocks(channels: plan.channels, profile: scope.profile)
    scope.work = plan.tiles * (plan.channels * size * size * 2)
    let grain = Swift.max(1, 32768 / Swift.max(1, plan.horizontal.output * plan.channels * size * size))
    scope.partition(plan.batch * rowTiles.count, grain: grain) { from, to in
      rowTiles.forEach(build, from, to) { n, rowTile in
        rowTiles.choose(build, rowTile) { rowRun, y in
          blocks.forEach(build) { block in
            for columnRun in columnRuns {
              build.forEach(build.index(0), build.index(columnRun.count)) { number in
                let x = build.add(number, columnRun.first)
                emit(scope, source, target, local, rowRun, columnRun, n: n, y: y, x: x, block)
              }
            }
          }
        }
      }
    }
  }

  /// One tile over one block of channels.
  private func emit(
    _ scope: KernelScope, _ source: BufferReference, _ target: BufferReference, _ local: BufferReference,
    _ rowRun: WindowAxis.Run, _ columnRun: WindowAxis.Run, n: LoopValue, y: LoopValue, x: LoopValue,
    _ block: ChannelBlocks.Block
  ) {
    let (build, vertical, horizontal, channels) = (scope.build, plan.vertical, plan.horizontal, plan.channels)
    let (transform, lanes) = (plan.transform, block.lanes)
    let type = LoopType(.f32, lanes: lanes)
    var base = build.mul(n, vertical.input * horizontal.input * pitch)
    base = build.add(base, build.mul(y, vertical.stride * horizontal.input * pitch))
    base = build.add(base, build.mul(x, horizontal.stride * pitch))
    base = build.add(base, -(vertical.before * horizontal.input + horizontal.before) * pitch)
    base = build.add(base, block.channel)
    // Taps that meet the image are neighbours. Loops instead of straight code, which would want a register a value.
    let (rowTaps, columnTaps) = (rowRun.taps[0], columnRun.taps[0])
    let size = transform.products
    let (firstColumn, pastColumn) = (columnTaps.min() ?? 0, (columnTaps.max() ?? -1) + 1)
    build.forEach(build.index(firstColumn), build.index(pastColumn)) { column in
      let pixel = build.add(base, build.mul(column, pitch))
      let inputs = (0..<size).map { row -> LoopValue? in
        guard rowTaps.contains(row) else { return nil }
        return build.load(type, Address(source, pixel, offset: row * horizontal.input * pitch), mask: block.mask)
      }
      let place = build.mul(column, lanes)
      for (row, value) in transform.input(build, inputs).enumerated() {
        build.store(value ?? build.zero(type), Address(local, place, offset: row * size * lanes))
      }
    }
    let tile = build.add(build.mul(build.add(build.mul(n, vertical.output), y), horizontal.output), x)
    let place = build.add(build.mul(tile, plan.pitch(channels)), block.channel)
    let planeStride = plan.planeStride(channels)
    build.forEach(build.index(0), build.index(size)) { row in
      let from = build.mul(row, size * lanes)
      let inputs = (0..<size).map { column -> LoopValue? in
        columnTaps.contains(column) ? build.load(type, Address(local, from, offset: column * lanes)) : nil
      }
      let to = build.add(place, build.mul(row, scope.index(planeStride * size)))
      for (column, value) in transform.input(build, inputs).enumerated() {
        build.store(value ?? build.zero(type), Address(target, build.add(to, scope.index(planeStride * column))))
      }
    }
  }
}

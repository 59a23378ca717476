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
    WinogradWalk(plan: plan, vertical: plan.vertical, horizontal: plan.horizontal, channels: plan.channels)
      .forEachTile(scope) { emit(scope, source, target, local, $0) }
  }

  /// One tile over one block of channels.
  private func emit(
    _ scope: KernelScope, _ source: BufferReference, _ target: BufferReference, _ local: BufferReference,
    _ tile: WinogradWalk.Tile
  ) {
    let (build, vertical, horizontal, channels) = (scope.build, plan.vertical, plan.horizontal, plan.channels)
    let (rowRun, columnRun, n, y, x, block) = (tile.rowRun, tile.columnRun, tile.n, tile.y, tile.x, tile.block)
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
    let number = build.add(build.mul(build.add(build.mul(n, vertical.output), y), horizontal.output), x)
    let place = build.add(build.mul(number, plan.pitch(channels)), block.channel)
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

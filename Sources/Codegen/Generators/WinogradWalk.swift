import IR

/// The way over the tiles of an image that both of Winograd's transforms go: rows of tiles are shared by threads, and
/// tiles that meet the image alike share their code.
struct WinogradWalk {
  let plan: WinogradPlan
  /// The tiles' windows over what is read, or over what is written.
  let vertical: WindowAxis
  let horizontal: WindowAxis
  let channels: Int

  /// One tile over one block of channels.
  struct Tile {
    var rowRun: WindowAxis.Run
    var columnRun: WindowAxis.Run
    var n: LoopValue
    var y: LoopValue
    var x: LoopValue
    var block: ChannelBlocks.Block
  }

  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 32768

  func forEachTile(_ scope: KernelScope, _ body: (Tile) -> Void) {
    let build = scope.build
    let rowTiles = RowTiles(batch: plan.batch, runs: vertical.runs(extent: 1, isEven: false))
    let columnRuns = horizontal.runs(extent: 1, isEven: false)
    let blocks = ChannelBlocks(channels: channels, profile: scope.profile)
    scope.work = plan.tiles * (channels * plan.planes * 2)
    let rowElements = Swift.max(1, plan.horizontal.output * channels * plan.planes)
    scope.partition(plan.batch * rowTiles.count, grain: Swift.max(1, Self.elementsPerThread / rowElements)) {
      from, to in
      rowTiles.forEach(build, from, to) { n, rowTile in
        rowTiles.choose(build, rowTile) { rowRun, y in
          blocks.forEach(build) { block in
            for columnRun in columnRuns {
              build.forEach(build.index(0), build.index(columnRun.count)) { number in
                let x = build.add(number, columnRun.first)
                body(Tile(rowRun: rowRun, columnRun: columnRun, n: n, y: y, x: x, block: block))
              }
            }
          }
        }
      }
    }
  }
}

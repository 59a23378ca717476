import IR
import Support

/// How the rows of a result are cut into tiles.
struct RowPlan {
  private let rows: Dim
  private let tallest: Int
  /// For a constant number of rows: runs of tiles of equal height, tallest first.
  private let runs: [(height: Int, count: Int)]

  init(_ rows: Dim, tallest: Int) {
    self.rows = rows
    self.tallest = tallest
    guard let constant = rows.constant else {
      runs = []
      return
    }
    // As even as possible: a tall tile followed by a flat one would waste the flat one's loads.
    let count = Swift.max(1, (constant + tallest - 1) / tallest)
    let height = constant / count
    let taller = constant % count
    runs = [(height + 1, taller), (height, count - taller)].filter { $0.height > 0 && $0.count > 0 }
  }

  /// Tiles, a partly filled one included.
  var tiles: Dim { rows.constant == nil ? rows.ceilDivided(by: Dim(tallest)) : Dim(runs.reduce(0) { $0 + $1.count }) }
  var tileCount: Int? { tiles.constant }

  /// A tile's first row, its height, and its number.
  struct TilePlace {
    var row: LoopValue
    var height: Int
    var number: LoopValue
  }

  /// Tiles number `from ..< to`.
  func forEachTile(
    _ scope: KernelScope, _ from: LoopValue, _ to: LoopValue, _ body: (TilePlace) -> Void
  ) {
    let build = scope.build
    if rows.constant != nil {
      var firstTile = 0
      var firstRow = 0
      for run in runs {
        let low = build.max(from, build.index(firstTile))
        let high = build.min(to, build.index(firstTile + run.count))
        build.forEach(low, high) { tile in
          let within = build.sub(tile, build.index(firstTile))
          body(
            TilePlace(row: build.add(build.mul(within, run.height), firstRow), height: run.height, number: tile))
        }
        firstTile += run.count
        firstRow += run.count * run.height
      }
      return
    }
    let total = scope.index(rows)
    let full = scope.index(rows.floorDivided(by: Dim(tallest)))
    build.forEach(from, build.min(to, full)) {
      body(TilePlace(row: build.mul($0, tallest), height: tallest, number: $0))
    }
    build.forEach(build.max(from, full), to) { tile in
      var row = build.mul(tile, tallest)
      for height in [8, 4, 2, 1] where height < tallest {
        let before = row
        let isNeeded = build.compare(.ge, build.sub(total, before), build.index(height))
        // Below the tallest power of two a tail holds each height at most once.
        if height * 2 < tallest, height == 8 {
          let count = build.div(build.sub(total, before), build.index(height))
          build.forEach(build.index(0), count) { number in
            body(TilePlace(row: build.add(before, build.mul(number, height)), height: height, number: tile))
          }
          row = build.add(before, build.mul(count, height))
        } else {
          row =
            build.ifElse(
              isNeeded,
              then: {
                body(TilePlace(row: before, height: height, number: tile))
                return [build.add(before, height)]
              }, else: { [before] })[0]
        }
      }
    }
  }
}

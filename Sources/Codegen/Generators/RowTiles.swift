import IR

/// The tiles of output rows of a batch of images, which threads share.
struct RowTiles {
  let batch: Dim
  let runs: [WindowAxis.Run]

  /// Of one image.
  var count: Int { runs.reduce(0) { $0 + $1.count } }

  /// Image and tile of each unit from `from` to `to`, tiles fastest.
  func forEach(
    _ build: KernelBuilder, _ from: LoopValue, _ to: LoopValue, _ body: (_ image: LoopValue, _ tile: LoopValue) -> Void
  ) {
    build.forEach(from, to) { unit in
      if batch == 1 { return body(build.index(0), unit) }
      body(build.div(unit, build.index(count)), build.rem(unit, build.index(count)))
    }
  }

  /// Writes code for each run of tiles, and picks that of tile number `tile`; `y` is the tile's first output row.
  func choose(_ build: KernelBuilder, _ tile: LoopValue, _ body: (_ run: WindowAxis.Run, _ y: LoopValue) -> Void) {
    var first = 0
    for run in runs {
      let start = first
      func emit() { body(run, build.add(build.mul(build.sub(tile, build.index(start)), run.extent), run.first)) }
      first += run.count
      if runs.count == 1 { return emit() }
      let isBehind = build.compare(.ge, tile, build.index(start))
      let isBefore = build.compare(.lt, tile, build.index(start + run.count))
      build.ifElse(
        build.binary(.and, isBehind, isBefore),
        then: {
          emit()
          return []
        })
    }
  }
}

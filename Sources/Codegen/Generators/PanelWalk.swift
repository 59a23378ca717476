import IR

/// What a tile needs to know of the panel that it reads.
struct PanelPlace {
  var number: LoopValue
  /// Vectors that hold columns.
  var vectors: Int
  /// Columns of the last vector where it is known not to be full.
  var tail: Int?
  /// Columns of the panel where only the run knows how many.
  var columnsLeft: LoopValue?

  /// The lanes of a vector that are columns; nil where all are.
  func mask(of vector: Int, lanes: Int, _ build: KernelBuilder) -> LoopValue? {
    if let columnsLeft {
      return build.prefixMask(build.sub(columnsLeft, build.index(vector * lanes)), lanes: lanes)
    }
    guard let tail, vector == vectors - 1 else { return nil }
    return build.prefixMask(build.index(tail), lanes: lanes)
  }
}

extension PanelLayout {
  /// Panels `from ..< to`: full ones, then the narrow last one.
  func forEachPanel(_ scope: KernelScope, _ from: LoopValue, _ to: LoopValue, _ body: (PanelPlace) -> Void) {
    let build = scope.build
    let full = scope.index(fullPanels)
    build.forEach(from, build.min(to, full)) { body(PanelPlace(number: $0, vectors: vectors)) }
    if let rest = restColumns.constant {
      guard rest > 0 else { return }
      let tail = rest % lanes
      build.forEach(build.max(from, full), to) {
        body(PanelPlace(number: $0, vectors: (rest + lanes - 1) / lanes, tail: tail == 0 ? nil : tail))
      }
      return
    }
    // How many vectors the last panel has is known at run time only: one narrow loop for each count.
    let rest = scope.index(restColumns)
    build.forEach(build.max(from, full), to) { panel in
      let needed = build.ceilDiv(rest, lanes)
      for vectors in 1...vectors {
        build.ifElse(
          build.compare(.eq, needed, build.index(vectors)),
          then: {
            body(PanelPlace(number: panel, vectors: vectors, columnsLeft: rest))
            return []
          })
      }
    }
  }
}

extension TileEmitter {
  /// Fetches the panel behind the one at `panelBase` while that is read, a share of it in each of `tiles` tiles.
  mutating func prefetchNext(
    _ layout: PanelLayout, _ panelBase: LoopValue, depth: Int, tiles: Int, tile: () -> LoopValue
  ) {
    guard let elements = layout.panelElements.constant, elements > 0 else { return }
    let scalarBytes = multiplication.panelScalar.bytes
    let steps = Swift.max(1, depth / multiplication.group)
    let perStep = Swift.max(4, nextPowerOfTwo((elements * scalarBytes / steps + tiles - 1) / tiles))
    let share = scope.build.mul(tile(), perStep * steps / scalarBytes)
    prefetch = (perStep, scope.build.add(scope.build.add(panelBase, elements), share))
  }
}

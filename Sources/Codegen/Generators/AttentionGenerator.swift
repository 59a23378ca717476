import IR
import Support
import Targets

/// Fused attention: for a block of queries, one pass over the keys that never stores what queries and keys multiply to.
///
/// Lanes are queries. A block of queries is turned to `[width, queries]` first; that, and then the weights, are the
/// panels of two products whose left operands are keys and values, read where they lie. So nothing is packed but the
/// queries, the greatest product of a query is a maximum over rows, lane by lane, and weights come out as the panel that
/// the second product wants. Heads that share keys are more queries of one block.
///
/// Keys come in blocks that stay in the nearest cache. Each block scales what came before it by how the maximum rose.
struct AttentionGenerator {
  let attention: Attention
  let batch: Dim
  let keyHeads: Dim
  /// Heads of queries that share one head of keys.
  let group: Dim
  let queries: Dim
  let keys: Dim
  let width: Int
  let valueWidth: Int
  let multiplication: Multiplication
  let tile: Tile
  /// Strides: batch, head, position; the width is contiguous.
  let q: TensorView
  let k: TensorView
  let v: TensorView
  let result: TensorView
  /// Strides: batch, head, query, key.
  let mask: TensorView?
  let sinks: BufferID?

  /// Keys in a block, about: their products with a block of queries stay in the nearest cache.
  private static let keysPerBlock = 128

  /// Rows of all heads that share keys.
  var rows: Dim { group * queries }
  var blockRows: Int { tile.vectors * multiplication.lanes }

  /// Keys in a full block: as even as possible where their number is known.
  var blockKeys: Int {
    guard let count = keys.constant, count > 0 else { return Self.keysPerBlock }
    let blocks = (count + Self.keysPerBlock - 1) / Self.keysPerBlock
    return (count + blocks - 1) / blocks
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let blocks = rows.ceilDivided(by: Dim(blockRows))
    scope.work = batch * keyHeads * rows * keys * (width + valueWidth)
    let unitWork = (keys * (blockRows * (width + valueWidth))).constant ?? 1 << 20
    let emitter = try AttentionEmitter(scope, self)
    scope.partition(batch * keyHeads * blocks, grain: Swift.max(1, (1 << 18) / Swift.max(1, unitWork))) { from, to in
      build.forEach(from, to) { unit in
        let place = scope.decompose(unit, [batch, keyHeads, blocks])
        let first = build.mul(place[2], blockRows)
        let left = build.sub(scope.index(rows), first)
        // The last block has as many vectors as it needs.
        for vectors in 1...tile.vectors where canHaveBlock(of: vectors) {
          let least = (vectors - 1) * multiplication.lanes
          let isIt =
            vectors == tile.vectors
            ? build.compare(.gt, left, build.index(least))
            : build.compare(
              .eq, build.ceilDiv(build.min(left, build.index(blockRows)), multiplication.lanes), build.index(vectors))
          build.ifElse(
            isIt,
            then: {
              emitter.emitBlock(batch: place[0], keyHead: place[1], first: first, vectors: vectors)
              return []
            })
        }
      }
    }
  }

  private func canHaveBlock(of vectors: Int) -> Bool {
    guard let rows = rows.constant else { return true }
    if vectors == tile.vectors, rows >= blockRows { return true }
    return (rows % blockRows + multiplication.lanes - 1) / multiplication.lanes == vectors
  }
}

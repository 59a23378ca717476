import Codegen

/// A register tile of a matrix product, as the contraction generator writes it: `rows` of A with a constant stride
/// against a packed panel of B, the accumulators carried by the loop over k.
func matmulTile(rows: Int, vectors: Int, depth: Int, unroll: Int, packedA: Bool = false, lanes: Int = 16) -> Kernel {
  let b = KernelBuilder(name: "tile_\(rows)x\(vectors * lanes)_\(unroll)\(packedA ? "p" : "")")
  let vector = LoopType(.f32, lanes: lanes)
  let width = vectors * lanes
  let left = b.buffer("a", .f32, .read, elements: rows * depth, alignment: 64)
  let right = b.buffer("b", .f32, .read, elements: depth * width, alignment: 64)
  let out = b.buffer("c", .f32, .write, elements: rows * width, alignment: 64)
  let zero = b.zero(vector)
  let initial = Array(repeating: zero, count: rows * vectors)
  let results = b.forLoop(b.index(0), b.index(depth), step: unroll, carrying: initial) { k, carried in
    var accumulators = carried
    let panel = b.mul(k, width)
    let column = packedA ? b.mul(k, rows) : k
    for step in 0..<unroll {
      let weights = (0..<vectors).map {
        b.load(vector, Address(right, panel, offset: step * width + $0 * lanes), alignment: 4 * lanes)
      }
      for row in 0..<rows {
        let offset = packedA ? step * rows + row : row * depth + step
        let scalar = b.splat(b.load(LoopType(.f32), Address(left, column, offset: offset)), lanes: lanes)
        for number in 0..<vectors {
          let place = row * vectors + number
          accumulators[place] = b.fma(scalar, weights[number], accumulators[place])
        }
      }
    }
    return accumulators
  }
  for (place, result) in results.enumerated() {
    b.store(result, Address(out, offset: place * lanes), alignment: 4 * lanes)
  }
  return b.finish()
}

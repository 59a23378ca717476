import IR
import Support

/// Rotates the pairs of every row, vectors of pairs at a time.
struct RopeGenerator {
  /// All axes but the last.
  let outer: [Dim]
  let width: Int
  let pairs: Int
  let interleaved: Bool
  /// Strides over `outer`; rows are contiguous.
  let source: TensorView
  let cosines: TensorView
  let sines: TensorView
  let target: TensorView

  private static let elementsPerThread = 16384

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(source.element)
    let from = scope.buffer(source.buffer, form.memory, .read)
    let cosFrom = scope.buffer(cosines.buffer, form.memory, .read)
    let sinFrom = scope.buffer(sines.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, form.memory, .write)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let rows = outer.reduce(Dim(1), *)
    let zero = build.index(0)
    scope.partition(rows, grain: Swift.max(1, Self.elementsPerThread / Swift.max(1, width))) { low, high in
      build.forEach(low, high) { row in
        let place = scope.decompose(row, outer)
        let base = scope.position(source.offset, place, source.strides)
        let out = scope.position(target.offset, place, target.strides)
        let cosBase = scope.position(cosines.offset, place, cosines.strides)
        let sinBase = scope.position(sines.offset, place, sines.strides)
        func rotate(_ a: LoopValue, _ b: LoopValue, _ pair: LoopValue, _ mask: LoopValue?) -> (LoopValue, LoopValue) {
          let lanes = build.type(a).lanes
          let c = scope.read(cosFrom, form, at: build.add(cosBase, pair), stride: 1, lanes: lanes, mask: mask)
          let s = scope.read(sinFrom, form, at: build.add(sinBase, pair), stride: 1, lanes: lanes, mask: mask)
          return (build.sub(build.mul(a, c), build.mul(b, s)), build.add(build.mul(b, c), build.mul(a, s)))
        }
        func read(_ position: LoopValue, _ lanes: Int, _ mask: LoopValue? = nil) -> LoopValue {
          scope.read(from, form, at: build.add(base, position), stride: 1, lanes: lanes, mask: mask)
        }
        func write(_ value: LoopValue, _ position: LoopValue, _ mask: LoopValue? = nil) {
          scope.write(value, to: to, form, at: build.add(out, position), stride: 1, mask: mask)
        }
        if interleaved {
          let whole = pairs / lanes * lanes
          if lanes > 1 {
            build.forEach(zero, build.index(whole), step: lanes) { pair in
              let first = build.mul(pair, 2)
              let (low, high) = (read(first, lanes), read(build.add(first, lanes), lanes))
              let even = build.shuffle(low, high, lanes: (0..<lanes).map { 2 * $0 })
              let odd = build.shuffle(low, high, lanes: (0..<lanes).map { 2 * $0 + 1 })
              let (a, b) = rotate(even, odd, pair, nil)
              let order = (0..<lanes).flatMap { [$0, lanes + $0] }
              write(build.shuffle(a, b, lanes: Array(order[..<lanes])), first)
              write(build.shuffle(a, b, lanes: Array(order[lanes...])), build.add(first, lanes))
            }
          }
          build.forEach(build.index(lanes > 1 ? whole : 0), build.index(pairs)) { pair in
            let first = build.mul(pair, 2)
            let second = build.add(first, 1)
            let (a, b) = rotate(read(first, 1), read(second, 1), pair, nil)
            write(a, first)
            write(b, second)
          }
        } else {
          scope.span(zero, build.index(pairs), lanes: lanes) { pair, lanes, mask in
            let second = build.add(pair, pairs)
            let (a, b) = rotate(read(pair, lanes, mask), read(second, lanes, mask), pair, mask)
            write(a, pair, mask)
            write(b, second, mask)
          }
        }
        scope.span(build.index(2 * pairs), build.index(width), lanes: lanes) { element, lanes, mask in
          write(read(element, lanes, mask), element, mask)
        }
      }
    }
  }
}

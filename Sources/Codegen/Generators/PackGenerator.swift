import IR
import Support

/// Packs a right operand that only the run knows into panels, and sums its columns where a signed left operand
/// needs that.
struct PackGenerator {
  let layout: PanelLayout
  let multiplication: Multiplication
  let batch: Dim
  /// Strides: batch, k, n.
  let source: TensorView
  let target: BufferID
  let sums: BufferID?

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(source.element)
    let from = scope.buffer(source.buffer, form.memory, .read)
    let to = scope.buffer(target, multiplication.panelScalar, .write, alignment: 64)
    let sumsTo = sums.map { scope.buffer($0, .i32, .write) }
    let lanes = multiplication.lanes
    let group = layout.group
    // A unit is one vector of columns of one batch, over the whole summed axis.
    let vectors = layout.columns.ceilDivided(by: Dim(lanes))
    scope.partition(vectors * batch, grain: 4) { low, high in
      build.forEach(low, high) { unit in
        let vector = build.rem(unit, scope.index(vectors))
        let matrix = build.div(unit, scope.index(vectors))
        let column = build.mul(vector, lanes)
        let left = build.sub(scope.index(layout.columns), column)
        let mask = build.prefixMask(left, lanes: lanes)
        let sourceBase = build.add(
          build.mul(matrix, scope.index(source.strides[0])), build.mul(column, scope.index(source.strides[2])))
        // Where the vector lies: its panel's start, and its place in each group of the panel.
        let panel = build.div(vector, build.index(layout.vectors))
        let within = build.rem(vector, build.index(layout.vectors))
        let panelVectors = build.min(
          build.index(layout.vectors), build.sub(scope.index(vectors), build.mul(panel, layout.vectors)))
        let base = build.add(
          build.add(
            build.mul(matrix, scope.index(layout.elements)), build.mul(panel, scope.index(layout.panelElements))),
          build.mul(within, lanes * group))
        let step = build.mul(panelVectors, lanes * group)

        func load(_ k: LoopValue) -> LoopValue {
          let position = build.add(sourceBase, build.mul(k, scope.index(source.strides[1])))
          return scope.read(from, form, at: position, stride: source.strides[2], lanes: lanes, mask: mask)
        }
        if group == 1 {
          build.forEach(build.index(0), scope.index(layout.depth)) { k in
            let value = build.convert(
              .floatExtend, load(k), to: LoopType(multiplication.panelScalar, lanes: lanes))
            build.store(
              value, Address(to, build.add(base, build.mul(k, step))),
              alignment: lanes * multiplication.panelScalar.bytes)
          }
          return
        }
        let groups = scope.index(layout.depth.ceilDivided(by: Dim(group)))
        let bytes = LoopType(.i8, lanes: lanes)
        let ones = build.integer(1, LoopType(.i8, lanes: lanes * 4))
        let total = build.forLoop(
          build.index(0), groups, carrying: [build.zero(LoopType(.i32, lanes: lanes))]
        ) { number, carried in
          let first = build.mul(number, group)
          let quarter = (0..<4).map { offset in
            let k = build.add(first, offset)
            return build.ifElse(
              build.compare(.lt, k, scope.index(layout.depth)),
              then: { [load(k)] }, else: { [build.zero(bytes)] })[0]
          }
          let interleaved = interleave(build, quarter, lanes)
          build.store(interleaved, Address(to, build.add(base, build.mul(number, step))), alignment: lanes * 4)
          return [sumsTo == nil ? carried[0] : build.dot4(carried[0], unsigned: ones, signed: interleaved)]
        }
        if let sumsTo {
          let scaled = build.mul(total[0], build.integer(128, LoopType(.i32, lanes: lanes)))
          let position = build.add(build.mul(matrix, scope.index(layout.columns)), column)
          build.store(scaled, Address(sumsTo, position), mask: mask)
        }
      }
    }
  }

  /// Four vectors of bytes to one in which lane n's four bytes are neighbours.
  private func interleave(_ build: KernelBuilder, _ parts: [LoopValue], _ lanes: Int) -> LoopValue {
    let pairs = (0..<lanes).flatMap { [$0, lanes + $0] }
    let low = build.shuffle(parts[0], parts[1], lanes: pairs)
    let high = build.shuffle(parts[2], parts[3], lanes: pairs)
    var quads: [Int] = []
    for lane in 0..<lanes {
      let first = 2 * lane
      let second = 2 * lanes + 2 * lane
      quads += [first, first + 1, second, second + 1]
    }
    return build.shuffle(low, high, lanes: quads)
  }
}

import IR
import Support
import Targets

/// Transposed copies of which both contiguous axes are long.
///
/// Square blocks of elements are turned in registers: as many vectors as one has
/// lanes are loaded along the source's axis, shuffled in log2(lanes) rounds, and
/// stored along the result's. What does not fill a block is copied one by one.
struct TransposeGenerator {
  private let extents: [Dim]
  private let source: TensorView
  private let target: TensorView
  /// The axis that is contiguous in the source; the last one is contiguous in the target.
  private let axis: Int
  private let form: ElementForm
  private let lanes: Int

  /// Nil when the copy is no such transpose, or blocks would hardly ever fill.
  init?(_ copy: MapGenerator, _ profile: Profile) throws(Diagnostic) {
    guard let turn = try TransposedCopy(copy) else { return nil }
    form = turn.form
    lanes = Swift.min(16, profile.lanes(bits: form.memory.bits), profile.vectorRegisters / 2)
    let isLargeEnough = { (dim: Dim, least: Int) in dim.constant.map { $0 >= least } ?? true }
    guard lanes >= 4, isLargeEnough(turn.extents[turn.axis], lanes),
      isLargeEnough(turn.extents[turn.extents.count - 1], lanes)
    else { return nil }
    (extents, axis, source, target) = (turn.extents, turn.axis, turn.source, turn.target)
  }

  func generate(_ scope: KernelScope) {
    let build = scope.build
    let from = scope.buffer(source.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, form.memory, .write)
    let last = extents.count - 1
    let others = extents.indices.filter { $0 != axis && $0 != last }
    let blocks = extents[axis].ceilDivided(by: Dim(lanes))
    let units = others.reduce(blocks) { $0 * extents[$1] }
    let unitElements = Swift.max(1, lanes * (extents[last].constant ?? 64))
    scope.partition(units, grain: Swift.max(1, 16384 / unitElements)) { low, high in
      build.forEach(low, high) { unit in
        let block = build.rem(unit, scope.index(blocks))
        let indices = scope.decompose(build.div(unit, scope.index(blocks)), others.map { extents[$0] })
        var sourceBase = scope.index(source.offset)
        var targetBase = scope.index(target.offset)
        for (number, other) in others.enumerated() {
          sourceBase = build.add(sourceBase, build.mul(indices[number], scope.index(source.strides[other])))
          targetBase = build.add(targetBase, build.mul(indices[number], scope.index(target.strides[other])))
        }
        let first = build.mul(block, lanes)
        let rows = build.min(build.index(lanes), build.sub(scope.index(extents[axis]), first))
        sourceBase = build.add(sourceBase, first)
        targetBase = build.add(targetBase, build.mul(first, scope.index(target.strides[axis])))
        let columns = scope.index(extents[last])
        let whole = build.mul(build.div(columns, build.index(lanes)), lanes)
        build.ifElse(
          build.compare(.eq, rows, build.index(lanes)),
          then: {
            build.forEach(build.index(0), whole, step: lanes) { turn(scope, from, sourceBase, to, targetBase, $0) }
            copy(scope, from, sourceBase, to, targetBase, rows: rows, whole, columns)
            return []
          },
          else: {
            copy(scope, from, sourceBase, to, targetBase, rows: rows, build.index(0), columns)
            return []
          })
      }
    }
  }

  /// One block: columns `column ..< column + lanes` of as many rows.
  private func turn(
    _ scope: KernelScope, _ from: BufferReference, _ sourceBase: LoopValue, _ to: BufferReference,
    _ targetBase: LoopValue, _ column: LoopValue
  ) {
    let build = scope.build
    let type = LoopType(form.memory, lanes: lanes)
    let vectors = (0..<lanes).map { lane in
      let index = build.add(column, lane)
      let position = build.add(sourceBase, build.mul(index, scope.index(source.strides[extents.count - 1])))
      return build.load(type, Address(from, position))
    }
    for (row, vector) in build.turned(vectors).enumerated() {
      let position = build.add(targetBase, scope.index(target.strides[axis] * row))
      build.store(vector, Address(to, build.add(position, column)))
    }
  }

  /// Columns `low ..< high` of `rows` rows, one element at a time.
  private func copy(
    _ scope: KernelScope, _ from: BufferReference, _ sourceBase: LoopValue, _ to: BufferReference,
    _ targetBase: LoopValue, rows: LoopValue, _ low: LoopValue, _ high: LoopValue
  ) {
    let build = scope.build
    build.forEach(build.index(0), rows) { row in
      let rowBase = build.add(targetBase, build.mul(row, scope.index(target.strides[axis])))
      build.forEach(low, high) { column in
        let step = build.mul(column, scope.index(source.strides[extents.count - 1]))
        let value = build.load(LoopType(form.memory), Address(from, build.add(build.add(sourceBase, row), step)))
        build.store(value, Address(to, build.add(rowBase, column)))
      }
    }
  }
}

import IR
import Support

/// Counts the elements that are not zero, and lists where they are.
struct NonZeroGenerator {
  let shape: [Dim]
  let source: TensorView

  private func isNonZero(_ build: KernelBuilder, _ value: LoopValue) -> LoopValue {
    let type = build.type(value)
    return type.scalar == .i1 ? value : build.compare(.ne, value, build.zero(type))
  }

  /// Writes the count as one i64.
  func count(_ scope: KernelScope, to target: BufferID) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(source.element)
    let from = scope.buffer(source.buffer, form.memory, .read)
    let to = scope.buffer(target, .i64, .write, elements: 1)
    let sums = RowAccumulators(
      scope: scope, combination: try Combination(.sum, .i64), lanes: scope.profile.lanes(bits: 64), vectors: 4)
    let elements = scope.index(shape.reduce(Dim(1), *))
    let parts = sums.accumulate(build.index(0), elements, sums.initial()) { i, lanes, mask in
      let value = scope.read(from, form, at: i, stride: 1, lanes: lanes, mask: mask)
      return build.convert(.zeroExtend, isNonZero(build, value), to: LoopType(.i64, lanes: lanes))
    }
    build.store(sums.total(parts), Address(to))
  }

  /// Writes `[rank, count]` indices.
  func positions(_ scope: KernelScope, count: Dim, to target: BufferID) throws(Diagnostic) {
    guard !shape.isEmpty else { return }
    let build = scope.build
    let form = try ElementForm(source.element)
    let from = scope.buffer(source.buffer, form.memory, .read)
    let to = scope.buffer(target, .i64, .write)
    let columns = scope.index(count)

    func walk(_ axis: Int, _ base: LoopValue, _ indices: [LoopValue], _ found: LoopValue) -> LoopValue {
      if axis == shape.count {
        return build.ifElse(
          isNonZero(build, scope.read(from, form, positions: base)),
          then: {
            for (row, index) in indices.enumerated() {
              build.store(index, Address(to, build.add(build.mul(columns, row), found)))
            }
            return [build.add(found, 1)]
          }, else: { [found] })[0]
      }
      return build.forLoop(build.index(0), scope.index(shape[axis]), carrying: [found]) { i, found in
        let next = build.add(base, build.mul(i, scope.index(source.strides[axis])))
        return [walk(axis + 1, next, indices + [i], found[0])]
      }[0]
    }
    _ = walk(0, build.index(0), [], build.index(0))
  }
}

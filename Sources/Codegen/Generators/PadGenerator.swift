import IR
import Support

/// Copies a tensor into the middle of a larger one and fills the rest, in one walk over the result.
struct PadGenerator {
  struct Axis {
    /// Elements of the source along the axis, and around it.
    var count: Dim
    var before: Dim
    var after: Dim
    /// Of the source, in elements.
    var stride: Dim
    var total: Dim { before + count + after }
    var isPadded: Bool { before != 0 || after != 0 }
  }
  let axes: [Axis]
  /// Its strides are those of the axes.
  let source: TensorView
  let target: BufferID
  /// The bits of what fills the rest.
  let filler: Int

  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 16384

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(source.element)
    let from = scope.buffer(source.buffer, form.memory, .read)
    let to = scope.buffer(target, form.memory, .write)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let merged = mergedAxes()
    let outer = Array(merged.dropLast())
    let inner = merged.last ?? Axis(count: 1, before: 0, after: 0, stride: 1)
    let zero = build.index(0)
    let rowLength = scope.index(inner.total)

    func fill(_ base: LoopValue, _ low: LoopValue, _ high: LoopValue) {
      scope.span(low, high, lanes: lanes) { i, lanes, mask in
        let value = build.integer(filler, LoopType(form.register, lanes: lanes))
        scope.write(value, to: to, form, at: build.add(base, i), stride: 1, mask: mask)
      }
    }

    let units = outer.reduce(Dim(1)) { $0 * $1.total }
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, inner.total.constant ?? 64))
    scope.partition(units, grain: grain) { low, high in
      build.forEach(low, high) { unit in
        let indices = scope.decompose(unit, outer.map(\.total))
        let base = build.mul(unit, rowLength)
        var inside: LoopValue?
        var sourceBase = scope.index(source.offset)
        for (axis, index) in zip(outer, indices) {
          let position = build.sub(index, scope.index(axis.before))
          sourceBase = build.add(sourceBase, build.mul(position, scope.index(axis.stride)))
          guard axis.isPadded else { continue }
          let meets = build.compare(.ult, position, scope.index(axis.count))
          inside = inside.map { build.binary(.and, $0, meets) } ?? meets
        }
        func row() {
          let start = scope.index(inner.before)
          fill(base, zero, start)
          let targetBase = build.add(base, start)
          scope.span(zero, scope.index(inner.count), lanes: lanes) { i, lanes, mask in
            let position = build.add(sourceBase, build.mul(i, scope.index(inner.stride)))
            let value = scope.read(from, form, at: position, stride: inner.stride, lanes: lanes, mask: mask)
            scope.write(value, to: to, form, at: build.add(targetBase, i), stride: 1, mask: mask)
          }
          fill(base, scope.index(inner.before + inner.count), rowLength)
        }
        guard let inside else { return row() }
        build.ifElse(
          inside,
          then: {
            row()
            return []
          },
          else: {
            fill(base, zero, rowLength)
            return []
          })
      }
    }
  }

  /// Axes without padding join the one in front of them.
  private func mergedAxes() -> [Axis] {
    var result: [Axis] = []
    for axis in axes where axis.isPadded || axis.count != 1 {
      if let last = result.last, !axis.isPadded, last.stride == axis.stride * axis.count {
        result[result.count - 1] = Axis(
          count: last.count * axis.count, before: last.before * axis.count, after: last.after * axis.count,
          stride: axis.stride)
      } else {
        result.append(axis)
      }
    }
    return result
  }
}

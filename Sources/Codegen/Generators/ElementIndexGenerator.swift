import IR
import Support

/// Moves single elements whose place along one axis is data: gathers them, or scatters them.
///
/// The indices have the rank of the data. Every index is checked; negative ones count from the end.
struct ElementIndexGenerator {
  /// Of the indices.
  let shape: [Dim]
  let dataShape: [Dim]
  let axis: Int
  let indices: TensorView

  /// Copies the elements of `data` that the indices name into `target`, which is dense and of the indices' shape.
  func gather(_ scope: KernelScope, _ data: TensorView, to target: TensorView) throws(Diagnostic) {
    let build = scope.build
    let indexForm = try ElementForm(indices.element)
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let index = scope.buffer(indices.buffer, indexForm.memory, .read)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    let last = shape.count - 1
    let outer = Array(shape.dropLast())
    let strides = rowMajorStrides(dataShape)
    let row = scope.index(shape[last])
    scope.partition(outer.reduce(Dim(1), *), grain: KernelScope.grain(shape[last])) { low, high in
      build.forEach(low, high) { unit in
        let places = scope.decompose(unit, outer)
        var base = scope.index(data.offset)
        for other in 0..<last where other != axis {
          base = build.add(base, build.mul(places[other], scope.index(strides[other])))
        }
        let start = build.mul(unit, row)
        scope.span(build.index(0), row, lanes: scope.profile.lanes(bits: 64)) { i, lanes, mask in
          let place = build.add(build.add(scope.index(indices.offset), start), i)
          let raw = scope.read(index, indexForm, at: place, stride: 1, lanes: lanes, mask: mask)
          let number = scope.checkedIndex(raw, indices.element, dataShape[axis], mask: mask)
          let step = build.splat(scope.index(strides[axis]), lanes: lanes)
          var positions = strides[axis] == 1 ? number : build.mul(number, step)
          let first = axis == last ? base : build.add(base, i)
          positions = build.add(positions, build.splat(first, lanes: lanes))
          if axis != last, lanes > 1 { positions = build.add(positions, scope.laneOffsets(1, lanes)) }
          let value = scope.read(from, form, positions: positions, mask: mask)
          let goal = build.add(build.add(scope.index(target.offset), start), i)
          scope.write(value, to: to, targetForm, at: goal, stride: 1, mask: mask)
        }
      }
    }
  }

  /// Brings the elements of `updates` to the places in `target` that the indices name. Threads share the lines along
  /// the axis, so that what meets the same element comes in order.
  func scatter(_ scope: KernelScope, _ update: ScatterUpdate) throws(Diagnostic) {
    let build = scope.build
    let indexForm = try ElementForm(indices.element)
    let index = scope.buffer(indices.buffer, indexForm.memory, .read)
    let buffers = try update.buffers(scope)
    let own = rowMajorStrides(shape)
    let strides = rowMajorStrides(dataShape)
    var lines = shape
    lines[axis] = 1
    scope.partition(lines.reduce(Dim(1), *), grain: KernelScope.grain(shape[axis])) { low, high in
      build.forEach(low, high) { unit in
        let places = scope.decompose(unit, lines)
        var base = build.index(0)
        var source = build.index(0)
        for other in shape.indices where other != axis {
          base = build.add(base, build.mul(places[other], scope.index(strides[other])))
          source = build.add(source, build.mul(places[other], scope.index(own[other])))
        }
        build.forEach(build.index(0), scope.index(shape[axis])) { i in
          let place = build.add(source, build.mul(i, scope.index(own[axis])))
          let raw = scope.read(index, indexForm, positions: build.add(place, scope.index(indices.offset)))
          let number = scope.checkedIndex(raw, indices.element, dataShape[axis])
          let goal = build.add(base, build.mul(number, scope.index(strides[axis])))
          update.apply(scope, buffers, from: place, to: goal, lanes: 1, mask: nil)
        }
      }
    }
  }
}

import IR
import Support

/// Moves parts of a tensor that rows of coordinates name: gathers them, or scatters them.
struct CoordinateGenerator {
  let places: CoordinatePlaces
  let batchDims: Int
  let dataShape: [Dim]
  let indices: TensorView

  private var rows: Dim { places.rows.reduce(Dim(1), *) }
  private var part: Dim { places.part.reduce(Dim(1), *) }

  /// Where the part that row number `row` names begins.
  private func base(
    _ scope: KernelScope, _ index: BufferReference, _ form: ElementForm, _ row: LoopValue
  ) -> LoopValue {
    let build = scope.build
    let strides = rowMajorStrides(dataShape)
    var base = build.index(0)
    if batchDims > 0 {
      let inBatch = places.rows[batchDims...].reduce(Dim(1), *)
      let size = dataShape[batchDims...].reduce(Dim(1), *)
      base = build.mul(build.div(row, scope.index(inBatch)), scope.index(size))
    }
    for number in 0..<places.depth {
      let place = build.add(build.add(build.mul(row, places.depth), number), scope.index(indices.offset))
      let raw = scope.read(index, form, positions: place)
      let axis = batchDims + number
      let checked = scope.checkedIndex(raw, indices.element, dataShape[axis])
      base = build.add(base, build.mul(checked, scope.index(strides[axis])))
    }
    return base
  }

  func gather(_ scope: KernelScope, _ data: TensorView, to target: TensorView) throws(Diagnostic) {
    let build = scope.build
    let indexForm = try ElementForm(indices.element)
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let index = scope.buffer(indices.buffer, indexForm.memory, .read)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    let run = scope.index(part)
    let lanes = part == 1 ? 1 : scope.profile.lanes(bits: form.register.bits)
    scope.partition(rows, grain: KernelScope.grain(part)) { low, high in
      build.forEach(low, high) { row in
        let source = build.add(base(scope, index, indexForm, row), scope.index(data.offset))
        let goal = build.add(build.mul(row, run), scope.index(target.offset))
        scope.span(build.index(0), run, lanes: lanes) { i, lanes, mask in
          let value = scope.read(from, form, at: build.add(source, i), stride: 1, lanes: lanes, mask: mask)
          scope.write(value, to: to, targetForm, at: build.add(goal, i), stride: 1, mask: mask)
        }
      }
    }
  }

  /// Threads share the elements of the parts, and each walks all rows: what meets the same element comes in order.
  func scatter(_ scope: KernelScope, _ update: ScatterUpdate) throws(Diagnostic) {
    let build = scope.build
    let indexForm = try ElementForm(indices.element)
    let index = scope.buffer(indices.buffer, indexForm.memory, .read)
    let buffers = try update.buffers(scope)
    let run = scope.index(part)
    let lanes = part == 1 ? 1 : scope.profile.lanes(bits: buffers.targetForm.register.bits)
    scope.partition(part, grain: KernelScope.grain(rows)) { low, high in
      build.forEach(build.index(0), scope.index(rows)) { row in
        let goal = base(scope, index, indexForm, row)
        let source = build.mul(row, run)
        scope.span(low, high, lanes: lanes) { i, lanes, mask in
          update.apply(
            scope, buffers, from: build.add(source, i), to: build.add(goal, i), lanes: lanes, mask: mask)
        }
      }
    }
  }
}

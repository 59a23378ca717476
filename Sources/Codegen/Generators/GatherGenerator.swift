import IR
import Support

/// Copies runs of elements chosen by indices that only the run knows.
///
/// The data is `[outer, extent, inner]`, the result `[outer, indices, inner]`. Every index is checked; negative ones
/// count from the end.
struct GatherGenerator {
  let outer: Dim
  let extent: Dim
  let inner: Dim
  let indexCount: Dim
  let indices: TensorView
  /// Dense; elements of a byte or more, or packed ones that are written a byte each.
  let data: TensorView
  let target: TensorView

  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 16384

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let indexForm = try ElementForm(indices.element)
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let index = scope.buffer(indices.buffer, indexForm.memory, .read)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    if inner == 1 {
      single(scope, index, indexForm, from, form, to, targetForm)
    } else {
      runs(scope, index, indexForm, from, form, to, targetForm)
    }
  }

  /// One run of `inner` elements for each index.
  private func runs(
    _ scope: KernelScope, _ index: BufferReference, _ indexForm: ElementForm, _ from: BufferReference,
    _ form: ElementForm, _ to: BufferReference, _ targetForm: ElementForm
  ) {
    let build = scope.build
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let run = scope.index(inner)
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, inner.constant ?? 64))
    scope.partition(outer * indexCount, grain: grain) { low, high in
      build.forEach(low, high) { unit in
        let place = scope.decompose(unit, [outer, indexCount])
        let raw = scope.read(index, indexForm, positions: build.add(scope.index(indices.offset), place[1]))
        let number = scope.checkedIndex(raw, indices.element, extent)
        let row = build.add(build.mul(place[0], scope.index(extent)), number)
        let source = build.add(scope.index(data.offset), build.mul(row, run))
        let target = build.add(scope.index(self.target.offset), build.mul(unit, run))
        scope.span(build.index(0), run, lanes: lanes) { i, lanes, mask in
          let value = scope.read(from, form, at: build.add(source, i), stride: 1, lanes: lanes, mask: mask)
          scope.write(value, to: to, targetForm, at: build.add(target, i), stride: 1, mask: mask)
        }
      }
    }
  }

  /// Runs of one element: a vector of indices at a time.
  private func single(
    _ scope: KernelScope, _ index: BufferReference, _ indexForm: ElementForm, _ from: BufferReference,
    _ form: ElementForm, _ to: BufferReference, _ targetForm: ElementForm
  ) {
    let build = scope.build
    let lanes = scope.profile.lanes(bits: 64)
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, indexCount.constant ?? 64))
    scope.partition(outer, grain: grain) { low, high in
      build.forEach(low, high) { row in
        let source = build.add(scope.index(data.offset), build.mul(row, scope.index(extent)))
        let target = build.add(scope.index(self.target.offset), build.mul(row, scope.index(indexCount)))
        scope.span(build.index(0), scope.index(indexCount), lanes: lanes) { i, lanes, mask in
          let position = build.add(scope.index(indices.offset), i)
          let raw = scope.read(index, indexForm, at: position, stride: 1, lanes: lanes, mask: mask)
          let positions = build.add(
            build.splat(source, lanes: lanes), scope.checkedIndex(raw, indices.element, extent, mask: mask))
          let value = scope.read(from, form, positions: positions, mask: mask)
          scope.write(value, to: to, targetForm, at: build.add(target, i), stride: 1, mask: mask)
        }
      }
    }
  }
}

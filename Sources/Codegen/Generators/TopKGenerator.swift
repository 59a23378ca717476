import IR
import Support

/// The best elements of each line, in order. Lines are `[outer, extent, inner]` along the middle axis.
struct TopKGenerator {
  let outer: Dim
  let extent: Dim
  let inner: Dim
  let k: Dim
  let largest: Bool
  let element: ElementType
  let data: TensorView
  let values: TensorView
  let indices: BufferID

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(data.element)
    let valueForm = try ElementForm(values.element)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(values.buffer, valueForm.memory, .write)
    let list = scope.buffer(indices, .i64, .update)
    let (step, count, total) = (scope.index(inner), scope.index(k), scope.index(extent))
    scope.partition(outer * inner, grain: KernelScope.grain(extent, otherwise: 1024)) { low, high in
      build.forEach(low, high) { line in
        let places = scope.decompose(line, [outer, inner])
        let start = build.add(build.mul(build.mul(places[0], total), step), places[1])
        let first = build.add(start, scope.index(data.offset))
        let goal = build.add(build.mul(build.mul(places[0], count), step), places[1])
        func element(_ index: LoopValue) -> LoopValue {
          scope.read(from, form, positions: build.add(first, build.mul(index, step)))
        }
        let heap = IndexHeap(scope: scope, buffer: list, base: goal, stride: step) { a, b in
          let (x, y) = (scope.sortKey(element(a), self.element), scope.sortKey(element(b), self.element))
          let isBetter = build.compare(largest ? .gt : .lt, x, y)
          let isFirst = build.binary(.and, build.compare(.eq, x, y), build.compare(.lt, a, b))
          return build.binary(.or, isBetter, isFirst)
        }
        build.forEach(build.index(0), count) { heap.store($0, $0) }
        heap.heapify(count)
        // Without a slot there is none to compare with.
        let isSome = build.compare(.gt, count, build.index(0))
        build.forEach(count, build.select(isSome, total, build.index(0))) { heap.offer($0, count: count) }
        heap.unwind(count)
        build.forEach(build.index(0), count) { place in
          let position = build.add(goal, build.mul(place, step))
          scope.write(
            element(heap.load(place)), to: to, valueForm, at: build.add(position, scope.index(values.offset)), stride: 1
          )
        }
      }
    }
  }
}

import IR
import Support

/// Running sums or products along the middle axis of `[outer, extent, inner]`.
struct CumulativeGenerator {
  let outer: Dim
  let extent: Dim
  let inner: Dim
  let exclusive: Bool
  let reverse: Bool
  let element: ElementType
  let combination: Combination
  let data: TensorView
  let target: TensorView

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(data.element)
    let targetForm = try ElementForm(target.element)
    let from = scope.buffer(data.buffer, form.memory, .read)
    let to = scope.buffer(target.buffer, targetForm.memory, .write)
    let lanes = inner == 1 ? 1 : scope.profile.lanes(bits: form.register.bits)
    let blocks = inner.ceilDivided(by: Dim(lanes))
    let (step, total) = (scope.index(inner), scope.index(extent))

    func run(_ start: LoopValue, _ lanes: Int, _ mask: LoopValue?) {
      let initial = combination.identity(build, lanes: lanes)
      build.forLoop(build.index(0), total, carrying: [initial]) { i, carried in
        let place = reverse ? build.sub(build.sub(total, build.index(1)), i) : i
        let position = build.add(start, build.mul(place, step))
        let value = scope.read(
          from, form, at: build.add(position, scope.index(data.offset)), stride: 1, lanes: lanes, mask: mask)
        let next = combination.combine(build, carried[0], value)
        scope.write(
          scope.rounded(exclusive ? carried[0] : next, as: element), to: to, targetForm,
          at: build.add(position, scope.index(target.offset)), stride: 1, mask: mask)
        return [next]
      }
    }
    scope.partition(outer * blocks, grain: KernelScope.grain(extent * lanes)) { low, high in
      build.forEach(low, high) { unit in
        let places = scope.decompose(unit, [outer, blocks])
        let base = build.mul(build.mul(places[0], total), step)
        let column = build.mul(places[1], lanes)
        let end = build.min(build.add(column, lanes), step)
        scope.span(column, end, lanes: lanes) { column, lanes, mask in run(build.add(base, column), lanes, mask) }
      }
    }
  }
}

import IR
import Support

/// The index of the extreme along the middle axis of `[outer, extent, inner]`.
struct ArgExtremeGenerator {
  let outer: Dim
  let extent: Dim
  let inner: Dim
  let isMaximum: Bool
  /// Of equal elements the last one counts.
  let last: Bool
  let data: TensorView
  let target: BufferID

  private struct Reader {
    let buffer: BufferReference
    let form: ElementForm
  }

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(data.element)
    let reader = Reader(buffer: scope.buffer(data.buffer, form.memory, .read), form: form)
    let to = scope.buffer(target, .i64, .write)
    let (step, total) = (scope.index(inner), scope.index(extent))
    // Indices are as wide as the widest lanes.
    let lanes = scope.profile.lanes(bits: 64)
    let blocks = inner == 1 ? Dim(1) : inner.ceilDivided(by: Dim(lanes))
    let isFine = build.binary(
      .or, build.compare(.gt, total, build.index(0)),
      build.compare(.eq, scope.index(outer * inner), build.index(0)))
    build.check(isFine, status: KernelStatus.indexOutOfRange)
    scope.partition(outer * blocks, grain: KernelScope.grain(extent * lanes)) { low, high in
      build.forEach(low, high) { unit in
        let places = scope.decompose(unit, [outer, blocks])
        let base = build.add(build.mul(build.mul(places[0], total), step), scope.index(data.offset))
        let goal = build.mul(places[0], step)
        guard inner != 1 else {
          build.store(along(scope, reader, base, lanes: lanes), Address(to, goal))
          return
        }
        let column = build.mul(places[1], lanes)
        scope.span(column, build.min(build.add(column, lanes), step), lanes: lanes) { column, lanes, mask in
          let index = across(scope, reader, build.add(base, column), lanes: lanes, mask: mask)
          build.store(index, Address(to, build.add(goal, column)), mask: mask)
        }
      }
    }
  }

  private func improves(_ scope: KernelScope, _ value: LoopValue, _ best: LoopValue) -> LoopValue {
    let build = scope.build
    let element = data.element
    guard build.type(value).scalar.isFloat else {
      let comparison: Comparison
      switch (isMaximum, last, element.isSigned) {
      case (true, false, true): comparison = .gt
      case (true, true, true): comparison = .ge
      case (true, false, false): comparison = .ugt
      case (true, true, false): comparison = .uge
      case (false, false, true): comparison = .lt
      case (false, true, true): comparison = .le
      case (false, false, false): comparison = .ult
      case (false, true, false): comparison = .ule
      }
      return build.compare(comparison, value, best)
    }
    let isBetter = build.compare(isMaximum ? (last ? .ge : .gt) : (last ? .le : .lt), value, best)
    let isNaN = build.compare(.ne, value, value)
    if last { return build.binary(.or, isBetter, isNaN) }
    return build.binary(.or, isBetter, build.binary(.and, isNaN, build.compare(.eq, best, best)))
  }

  /// A result a lane.
  private func across(
    _ scope: KernelScope, _ reader: Reader, _ start: LoopValue, lanes: Int, mask: LoopValue?
  ) -> LoopValue {
    let build = scope.build
    func read(_ i: LoopValue) -> LoopValue {
      scope.read(
        reader.buffer, reader.form, at: build.add(start, build.mul(i, scope.index(inner))), stride: 1, lanes: lanes,
        mask: mask)
    }
    let initial = [read(build.index(0)), build.integer(0, LoopType(.i64, lanes: lanes))]
    return build.forLoop(build.index(1), scope.index(extent), carrying: initial) { i, carried in
      let value = read(i)
      let isBetter = improves(scope, value, carried[0])
      return [
        build.select(isBetter, value, carried[0]),
        build.select(isBetter, build.splat(i, lanes: lanes), carried[1]),
      ]
    }[1]
  }

  /// One result: lanes take every so many elements, and the best lane wins.
  private func along(_ scope: KernelScope, _ reader: Reader, _ start: LoopValue, lanes: Int) -> LoopValue {
    let build = scope.build
    let total = scope.index(extent)
    let whole = lanes > 1 ? scope.wholeVectors(build.index(0), total, lanes: lanes) : build.index(0)
    func read(_ i: LoopValue, _ lanes: Int) -> LoopValue {
      scope.read(reader.buffer, reader.form, at: build.add(start, i), stride: 1, lanes: lanes)
    }
    let first = read(build.index(0), 1)
    var best = [first, build.index(0)]
    if lanes > 1 {
      let initial = [build.splat(first, lanes: lanes), build.integer(0, LoopType(.i64, lanes: lanes))]
      let vector = build.forLoop(build.index(0), whole, step: lanes, carrying: initial) { i, carried in
        let value = read(i, lanes)
        let isBetter = improves(scope, value, carried[0])
        let numbers = build.add(build.splat(i, lanes: lanes), scope.laneOffsets(1, lanes))
        return [build.select(isBetter, value, carried[0]), build.select(isBetter, numbers, carried[1])]
      }
      for lane in 0..<lanes {
        let value = build.extract(vector[0], lane: lane)
        let index = build.extract(vector[1], lane: lane)
        best = better(scope, [value, index], best)
      }
    }
    return build.forLoop(whole, total, carrying: best) { i, carried in
      better(scope, [read(i, 1), i], carried)
    }[1]
  }

  /// The better one of two candidates, each a value and its index, in whichever order they come.
  private func better(_ scope: KernelScope, _ a: [LoopValue], _ b: [LoopValue]) -> [LoopValue] {
    let build = scope.build
    let (wins, loses) = (improves(scope, a[0], b[0]), improves(scope, b[0], a[0]))
    let comesFirst = build.compare(last ? .gt : .lt, a[1], b[1])
    // Either both improve on the other or neither does where they are equal.
    let isEqual = build.compare(
      .eq, build.convert(.zeroExtend, wins, to: .index), build.convert(.zeroExtend, loses, to: .index))
    let isBetter = build.binary(
      .or, build.binary(.and, isEqual, comesFirst), build.binary(.and, build.unary(.not, isEqual), wins))
    return [build.select(isBetter, a[0], b[0]), build.select(isBetter, a[1], b[1])]
  }
}

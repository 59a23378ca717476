/// Items, given as integers, in slots of a buffer: a heap whose root is the item that comes last.
///
/// It sorts in place, and in a bounded number of steps whatever the order of what it is given.
struct IndexHeap {
  let scope: KernelScope
  /// Of i64, read and written.
  let buffer: BufferReference
  /// Where slot 0 lies, and how far slots are apart.
  let base: LoopValue
  let stride: LoopValue
  /// Whether one item comes before another; no two are equal.
  let precedes: (LoopValue, LoopValue) -> LoopValue

  private func address(_ slot: LoopValue) -> Address {
    Address(buffer, scope.build.add(base, scope.build.mul(slot, stride)))
  }

  func load(_ slot: LoopValue) -> LoopValue { scope.build.load(.index, address(slot)) }
  func store(_ item: LoopValue, _ slot: LoopValue) { scope.build.store(item, address(slot)) }

  /// Puts `item` in place of the one in `slot` and moves it down as far as it comes before its children.
  private func sift(_ item: LoopValue, from slot: LoopValue, count: LoopValue) {
    let build = scope.build
    func firstChild(_ slot: LoopValue) -> LoopValue { build.add(build.mul(slot, 2), 1) }
    let end = build.whileLoop(
      carrying: [slot, firstChild(slot)], condition: { build.compare(.lt, $0[1], count) },
      { carried in
        let (hole, left) = (carried[0], carried[1])
        let right = build.add(left, 1)
        let child = build.ifElse(
          build.compare(.lt, right, count),
          then: {
            let (a, b) = (load(left), load(right))
            let isRight = precedes(a, b)
            return [build.select(isRight, right, left), build.select(isRight, b, a)]
          }, else: { [left, load(left)] })
        return build.ifElse(
          precedes(item, child[1]),
          then: {
            store(child[1], hole)
            return [child[0], firstChild(child[0])]
          }, else: { [hole, count] })
      })
    store(item, end[0])
  }

  /// Makes a heap of what lies in the first `count` slots.
  func heapify(_ count: LoopValue) {
    let build = scope.build
    let parents = build.div(count, build.index(2))
    build.forEach(build.index(0), parents) { step in
      let slot = build.sub(build.sub(parents, build.index(1)), step)
      sift(load(slot), from: slot, count: count)
    }
  }

  /// Lets `item` in for the last one of a full heap, if it comes before that.
  func offer(_ item: LoopValue, count: LoopValue) {
    let build = scope.build
    build.ifElse(
      precedes(item, load(build.index(0))),
      then: {
        sift(item, from: build.index(0), count: count)
        return []
      })
  }

  /// Turns a heap into a list in order.
  func unwind(_ count: LoopValue) {
    let build = scope.build
    build.forEach(build.index(1), count) { step in
      let end = build.sub(count, step)
      let item = load(end)
      store(load(build.index(0)), end)
      sift(item, from: build.index(0), count: end)
    }
  }
}

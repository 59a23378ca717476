import IR
import Support

/// Finds equal slices of `[count, size]`: sorts the numbers of the slices, then walks them.
struct UniqueGenerator {
  let count: Dim
  let size: Dim
  let data: TensorView

  private struct Source {
    let scope: KernelScope
    let buffer: BufferReference
    let form: ElementForm
    let generator: UniqueGenerator

    private func key(_ slice: LoopValue, _ i: LoopValue) -> LoopValue {
      let build = scope.build
      let place = build.add(build.mul(slice, scope.index(generator.size)), i)
      let position = build.add(place, scope.index(generator.data.offset))
      return scope.sortKey(scope.read(buffer, form, positions: position), generator.data.element)
    }

    /// Where two slices first differ; the size where they are equal.
    private func difference(_ a: LoopValue, _ b: LoopValue) -> LoopValue {
      let build = scope.build
      let end = scope.index(generator.size)
      // The second value is the limit: it falls to zero where a difference is found.
      return build.whileLoop(
        carrying: [build.index(0), end], condition: { build.compare(.lt, $0[0], $0[1]) },
        { carried in
          let isSame = build.compare(.eq, key(a, carried[0]), key(b, carried[0]))
          return [
            build.select(isSame, build.add(carried[0], 1), carried[0]),
            build.select(isSame, carried[1], build.index(0)),
          ]
        })[0]
    }

    func areEqual(_ a: LoopValue, _ b: LoopValue) -> LoopValue {
      scope.build.compare(.ge, difference(a, b), scope.index(generator.size))
    }

    /// In the order of the elements, then of the numbers.
    func precedes(_ a: LoopValue, _ b: LoopValue) -> LoopValue {
      let build = scope.build
      let place = difference(a, b)
      return build.ifElse(
        build.compare(.lt, place, scope.index(generator.size)),
        then: { [build.compare(.lt, key(a, place), key(b, place))] }, else: { [build.compare(.lt, a, b)] })[0]
    }
  }

  private func source(_ scope: KernelScope) throws(Diagnostic) -> Source {
    let form = try ElementForm(data.element)
    return Source(
      scope: scope, buffer: scope.buffer(data.buffer, form.memory, .read), form: form, generator: self)
  }

  /// Writes the slices' numbers in order.
  func sort(_ scope: KernelScope, to order: BufferID) throws(Diagnostic) {
    let build = scope.build
    let source = try source(scope)
    let heap = IndexHeap(
      scope: scope, buffer: scope.buffer(order, .i64, .update), base: build.index(0), stride: build.index(1),
      precedes: source.precedes)
    let total = scope.index(count)
    build.forEach(build.index(0), total) { heap.store($0, $0) }
    heap.heapify(total)
    heap.unwind(total)
  }

  /// Writes for each slice the number of the first one equal to it, and the number of different ones.
  func group(
    _ scope: KernelScope, order: BufferID, firsts: BufferID, groups: BufferID
  ) throws(Diagnostic) {
    let build = scope.build
    let source = try source(scope)
    let list = scope.buffer(order, .i64, .read)
    let first = scope.buffer(firsts, .i64, .write)
    let found = scope.buffer(groups, .i64, .write, elements: 1)
    let initial = [build.index(-1), build.index(0)]
    let end = build.forLoop(build.index(0), scope.index(count), carrying: initial) { place, carried in
      let slice = build.load(.index, Address(list, place))
      let isNew = build.ifElse(
        build.compare(.lt, carried[0], build.index(0)), then: { [build.integer(1, .bool)] },
        else: { [build.unary(.not, source.areEqual(carried[0], slice))] })[0]
      let leader = build.select(isNew, slice, carried[0])
      build.store(leader, Address(first, slice))
      return [leader, build.add(carried[1], build.convert(.zeroExtend, isNew, to: .index))]
    }
    build.store(end[1], Address(found))
  }

  /// Numbers the groups, in the order of `order` or of the slices themselves.
  func number(
    _ scope: KernelScope, order: BufferID?, firsts: BufferID, indices: BufferID, inverse: BufferID, counts: BufferID
  ) {
    let build = scope.build
    let list = order.map { scope.buffer($0, .i64, .read) }
    let first = scope.buffer(firsts, .i64, .read)
    let start = scope.buffer(indices, .i64, .write)
    let group = scope.buffer(inverse, .i64, .update)
    let size = scope.buffer(counts, .i64, .update)
    // The first one of a group has the least number, and comes first in either order.
    build.forLoop(build.index(0), scope.index(count), carrying: [build.index(0)]) { place, next in
      let slice = list.map { build.load(.index, Address($0, place)) } ?? place
      let leader = build.load(.index, Address(first, slice))
      let one = build.index(1)
      return build.ifElse(
        build.compare(.eq, leader, slice),
        then: {
          build.store(slice, Address(start, next[0]))
          build.store(next[0], Address(group, slice))
          build.store(one, Address(size, next[0]))
          return [build.add(next[0], 1)]
        },
        else: {
          let number = build.load(.index, Address(group, leader))
          build.store(number, Address(group, slice))
          build.store(build.add(build.load(.index, Address(size, number)), 1), Address(size, number))
          return [next[0]]
        })
    }
  }
}

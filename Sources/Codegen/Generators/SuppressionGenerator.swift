import IR
import Support

/// Chooses boxes that overlap no better one of their class.
struct SuppressionGenerator {
  let images: Dim
  let classes: Dim
  let boxCount: Dim
  let center: Bool
  let boxes: BufferID
  let scores: BufferID
  let limit: BufferID
  let overlap: BufferID
  let threshold: BufferID?

  /// A box by its edges.
  private struct Edges {
    let low: (LoopValue, LoopValue)
    let high: (LoopValue, LoopValue)
    let area: LoopValue
  }

  private func edges(_ build: KernelBuilder, _ buffer: BufferReference, _ box: LoopValue) -> Edges {
    let type = LoopType(.f32)
    let start = build.mul(box, 4)
    let numbers = (0..<4).map { build.load(type, Address(buffer, start, offset: $0)) }
    var low: (LoopValue, LoopValue)
    var high: (LoopValue, LoopValue)
    if center {
      let two = build.float(2, type)
      let (width, height) = (build.div(numbers[2], two), build.div(numbers[3], two))
      low = (build.sub(numbers[1], height), build.sub(numbers[0], width))
      high = (build.add(numbers[1], height), build.add(numbers[0], width))
    } else {
      low = (lesser(build, numbers[0], numbers[2]), lesser(build, numbers[1], numbers[3]))
      high = (greater(build, numbers[0], numbers[2]), greater(build, numbers[1], numbers[3]))
    }
    return Edges(
      low: low, high: high, area: build.mul(build.sub(high.0, low.0), build.sub(high.1, low.1)))
  }

  private func lesser(_ build: KernelBuilder, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    build.select(build.compare(.lt, a, b), a, b)
  }

  private func greater(_ build: KernelBuilder, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    build.select(build.compare(.gt, a, b), a, b)
  }

  private func overlaps(_ build: KernelBuilder, _ a: Edges, _ b: Edges, by threshold: LoopValue) -> LoopValue {
    let zero = build.float(0, LoopType(.f32))
    let height = build.sub(lesser(build, a.high.0, b.high.0), greater(build, a.low.0, b.low.0))
    let width = build.sub(lesser(build, a.high.1, b.high.1), greater(build, a.low.1, b.low.1))
    let shared = build.mul(height, width)
    let union = build.sub(build.add(a.area, b.area), shared)
    var result = build.compare(.gt, build.div(shared, union), threshold)
    for value in [height, width, a.area, b.area, union] {
      result = build.binary(.and, result, build.compare(.gt, value, zero))
    }
    return result
  }

  /// Writes the chosen boxes of each class of each image, `boxCount` slots for each, and how many they are.
  func choose(_ scope: KernelScope, to lists: BufferID, counts: BufferID) {
    let build = scope.build
    let real = LoopType(.f32)
    let from = scope.buffer(boxes, .f32, .read)
    let marks = scope.buffer(scores, .f32, .read)
    let most = build.load(.index, Address(scope.buffer(limit, .i64, .read)))
    let share = build.load(real, Address(scope.buffer(overlap, .f32, .read)))
    let least = threshold.map { build.load(real, Address(scope.buffer($0, .f32, .read))) }
    let list = scope.buffer(lists, .i64, .update)
    let sizes = scope.buffer(counts, .i64, .write)
    let total = scope.index(boxCount)
    scope.partition(images * classes, grain: 1) { low, high in
      build.forEach(low, high) { line in
        let base = build.mul(line, total)
        let image = build.mul(build.div(line, scope.index(classes)), total)
        func score(_ number: LoopValue) -> LoopValue { build.load(real, Address(marks, build.add(base, number))) }
        let heap = IndexHeap(scope: scope, buffer: list, base: base, stride: build.index(1)) { a, b in
          let (x, y) = (scope.sortKey(score(a), .f32), scope.sortKey(score(b), .f32))
          let isFirst = build.binary(.and, build.compare(.eq, x, y), build.compare(.lt, a, b))
          return build.binary(.or, build.compare(.gt, x, y), isFirst)
        }
        let candidates = build.forLoop(build.index(0), total, carrying: [build.index(0)]) { number, count in
          guard let least else {
            heap.store(number, number)
            return [build.add(number, 1)]
          }
          return build.ifElse(
            build.compare(.gt, score(number), least),
            then: {
              heap.store(number, count[0])
              return [build.add(count[0], 1)]
            }, else: { [count[0]] })
        }[0]
        heap.heapify(candidates)
        heap.unwind(candidates)
        // Chosen ones gather in front of those that are still to be looked at.
        let chosen = build.forLoop(build.index(0), candidates, carrying: [build.index(0)]) { place, count in
          let number = heap.load(place)
          let box = edges(build, from, build.add(image, number))
          let isRoom = build.compare(.lt, count[0], most)
          let first = build.select(isRoom, build.index(0), count[0])
          // Walks until a chosen one overlaps: then the place jumps behind the end.
          let end = build.whileLoop(
            carrying: [first, build.index(0)], condition: { build.compare(.lt, $0[0], count[0]) },
            { carried in
              let other = edges(build, from, build.add(image, heap.load(carried[0])))
              let isOver = overlaps(build, other, box, by: share)
              return [
                build.select(isOver, count[0], build.add(carried[0], 1)),
                build.convert(.zeroExtend, isOver, to: .index),
              ]
            })
          let isFree = build.compare(.eq, end[1], build.index(0))
          return build.ifElse(
            build.binary(.and, isRoom, isFree),
            then: {
              heap.store(number, count[0])
              return [build.add(count[0], 1)]
            }, else: { [count[0]] })
        }[0]
        build.store(chosen, Address(sizes, line))
      }
    }
  }

  /// Writes how many boxes all lists have together.
  func total(_ scope: KernelScope, counts: BufferID, to target: BufferID) {
    let build = scope.build
    let sizes = scope.buffer(counts, .i64, .read)
    let to = scope.buffer(target, .i64, .write, elements: 1)
    let sum = build.forLoop(build.index(0), scope.index(images * classes), carrying: [build.index(0)]) { line, sum in
      [build.add(sum[0], build.load(.index, Address(sizes, line)))]
    }
    build.store(sum[0], Address(to))
  }

  /// Writes the rows of the result.
  func rows(_ scope: KernelScope, lists: BufferID, counts: BufferID, to target: BufferID) {
    let build = scope.build
    let list = scope.buffer(lists, .i64, .read)
    let sizes = scope.buffer(counts, .i64, .read)
    let to = scope.buffer(target, .i64, .write)
    build.forLoop(build.index(0), scope.index(images * classes), carrying: [build.index(0)]) { line, row in
      let places = scope.decompose(line, [images, classes])
      let count = build.load(.index, Address(sizes, line))
      let base = build.mul(line, scope.index(boxCount))
      build.forEach(build.index(0), count) { i in
        let start = build.mul(build.add(row[0], i), 3)
        build.store(places[0], Address(to, start))
        build.store(places[1], Address(to, start, offset: 1))
        build.store(build.load(.index, Address(list, build.add(base, i))), Address(to, start, offset: 2))
      }
      return [build.add(row[0], count)]
    }
  }
}

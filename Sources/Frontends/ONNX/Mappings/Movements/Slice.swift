import IR
import Support

extension ONNXMapping {
  static let sliceByAttributes = ONNXMapping(
    ["Slice"], 1...9, inputs: 1...1, attributes: ["axes", "ends", "starts"]
  ) { c throws(Diagnostic) in
    guard let starts = try c.ints("starts"), let ends = try c.ints("ends") else {
      throw .invalid("attribute \"starts\" or \"ends\" is missing")
    }
    return [
      try c.sliced(try c.input(0), starts.map { Dim($0) }, ends.map { Dim($0) }, axes: try c.ints("axes"), steps: nil)
    ]
  }

  static let slice = ONNXMapping(["Slice"], 10...newest, inputs: 3...5) { c throws(Diagnostic) in
    let x = try c.input(0)
    let (starts, ends) = (try c.input(1), try c.input(2))
    let axes = c.optionalInput(3).flatMap(c.integers)
    let steps = c.optionalInput(4).flatMap(c.integers)
    if (c.optionalInput(3) != nil && axes == nil) || (c.optionalInput(4) != nil && steps == nil) {
      return [try c.computedSlice(x, starts, ends)]
    }
    if let first = c.dims(starts), let last = c.dims(ends) {
      return [try c.sliced(x, first, last, axes: axes, steps: steps)]
    }
    return [try c.computedSlice(x, starts, ends, axes: axes, steps: steps)]
  }
}

extension ONNXNodeContext {
  private func checked(
    _ count: Int, _ axes: [Int]?, _ steps: [Int]?, rank: Int
  ) throws(Diagnostic) -> [(axis: Int, step: Int)] {
    let axes = axes ?? Array(0..<count)
    let steps = steps ?? Array(repeating: 1, count: count)
    guard axes.count == count, steps.count == count, count <= rank else {
      throw .invalid("\(count) starts, \(axes.count) axes and \(steps.count) steps do not go together")
    }
    var result: [(axis: Int, step: Int)] = []
    for (axis, step) in zip(axes, steps) {
      let axis = try self.axis(axis, rank: rank)
      guard step != 0 else { throw .invalid("a step is 0") }
      guard !result.contains(where: { $0.axis == axis }) else { throw .invalid("axis \(axis) is sliced twice") }
      // A larger step takes one element like any that leaves the axis.
      result.append((axis, min(max(step, -(1 << 40)), 1 << 40)))
    }
    return result
  }

  fileprivate func sliced(
    _ x: ValueID, _ starts: [Dim], _ ends: [Dim], axes: [Int]?, steps: [Int]?
  ) throws(Diagnostic) -> ValueID {
    var sizes = try shape(x)
    guard ends.count == starts.count else { throw .invalid("there are \(starts.count) starts, but \(ends.count) ends") }
    var first = [Dim](repeating: 0, count: sizes.count)
    var strides = [Int](repeating: 1, count: sizes.count)
    for (number, part) in try checked(starts.count, axes, steps, rank: sizes.count).enumerated() {
      let extent = sizes[part.axis]
      let forward = part.step > 0
      // Backwards, the position before the first element is where nothing is left.
      let (low, high): (Dim, Dim) = forward ? (0, extent) : (-1, extent - 1)
      let start = try position(starts[number], extent, low: forward ? 0 : 0, high: high)
      let end = try position(ends[number], extent, low: low, high: forward ? extent : extent - 1)
      let distance = forward ? end - start : start - end
      first[part.axis] = start
      sizes[part.axis] = maximum(distance.ceilDivided(by: Dim(abs(part.step))), 0)
      strides[part.axis] = part.step
    }
    for axis in sizes.indices where sizes[axis].constant == 0 { first[axis] = 0 }
    return try slice(x, starts: first, sizes: sizes, steps: strides)
  }

  /// An index as a position: counted from the end when negative, and moved into the range.
  private func position(_ index: Dim, _ extent: Dim, low: Dim, high: Dim) throws(Diagnostic) -> Dim {
    // The format's way to say "to the end" is a number no extent reaches.
    if let value = index.constant, value >= 1 << 30 { return high }
    if let value = index.constant, value <= -(1 << 30) { return low }
    let bounds = index.bounds(symbols)
    guard bounds.lowerBound >= 0 || bounds.upperBound < 0 else {
      // Where both signs are possible, say so for the case that all known models mean: an extent minus something.
      return maximum(minimum(index, high), low)
    }
    let counted = bounds.upperBound < 0 ? index + extent : index
    return maximum(minimum(counted, high), low)
  }

  /// Starts and ends that are only known at run time become extents.
  fileprivate func computedSlice(
    _ x: ValueID, _ starts: ValueID, _ ends: ValueID, axes: [Int]?, steps: [Int]?
  ) throws(Diagnostic) -> ValueID {
    var sizes = try shape(x)
    let count = try listLength(starts)
    guard try listLength(ends) == count else { throw .invalid("there are not as many ends as starts") }
    var first = [Dim](repeating: 0, count: sizes.count)
    var strides = [Int](repeating: 1, count: sizes.count)
    for (number, part) in try checked(count, axes, steps, rank: sizes.count).enumerated() {
      let extent = try dimension(sizes[part.axis])
      let last = try binary(.sub, extent, try scalar(1))
      let forward = part.step > 0
      let zero = try scalar(0)
      let start = try position(starts, number, extent, low: zero, high: forward ? extent : last)
      let end = try position(ends, number, extent, low: try scalar(forward ? 0 : -1), high: forward ? extent : last)
      let distance = forward ? try binary(.sub, end, start) : try binary(.sub, start, end)
      let rounded = try binary(.add, distance, try scalar(abs(part.step) - 1))
      // Below zero, division must not round towards zero; nothing is left anyway.
      let size = try binary(.div, try binary(.maximum, rounded, zero), try scalar(abs(part.step)))
      let isEmpty = try compare(.equal, size, zero)
      first[part.axis] = try extentOf(try select(isEmpty, zero, start), "start", sizes[part.axis])
      sizes[part.axis] = try extentOf(size, "size", sizes[part.axis])
      strides[part.axis] = part.step
    }
    return try slice(x, starts: first, sizes: sizes, steps: strides)
  }

  private func position(
    _ list: ValueID, _ number: Int, _ extent: ValueID, low: ValueID, high: ValueID
  ) throws(Diagnostic) -> ValueID {
    let one = try slice(list, axis: 0, start: Dim(number), size: 1)
    let index = try reshape(try cast(one, to: .i64), [])
    let isNegative = try compare(.less, index, try scalar(0))
    let counted = try select(isNegative, try binary(.add, index, extent), index)
    return try binary(.maximum, try binary(.minimum, counted, high), low)
  }

  /// A symbol that is at most `limit`.
  private func extentOf(_ value: ValueID, _ base: String, _ limit: Dim) throws(Diagnostic) -> Dim {
    if let known = dims(value)?.first { return known }
    let bound = max(limit.bounds(symbols).upperBound, 0)
    guard let symbol = freshSymbol(base, in: 0...bound).symbolName else { throw .bug("a fresh symbol is none") }
    _ = try add(Extent(symbol: symbol), value)
    return Dim(symbol: symbol)
  }
}

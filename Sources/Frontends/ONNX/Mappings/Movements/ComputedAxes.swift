import IR
import Support

// Axes that are only known at run time, though not how many: shapes become extents that are computed.

extension ONNXNodeContext {
  /// Which of `rank` axes the list names, as `bool[rank]`.
  private func named(_ axes: ValueID, rank: Int) throws(Diagnostic) -> ValueID {
    let count = try listLength(axes)
    let counted = try reshape(try counted(axes, in: Dim(rank)), [Dim(count), 1])
    let matches = try compare(.equal, counted, try constant(Array(0..<rank)))
    return try reduce(.max, matches, axes: [0], keepDims: false)
  }

  /// `x` without the axes that the list names.
  func squeezed(_ x: ValueID, computed axes: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    let kept = shape.count - (try listLength(axes))
    guard kept >= 0 else { throw .invalid("there are more axes to remove than \(try type(x)) has") }
    let isKept = try unary(.not, try named(axes, rank: shape.count))
    guard let symbol = freshSymbol("kept").symbolName else { throw .bug("a fresh symbol is none") }
    let numbers = try reshape(try add(NonZero(extent: symbol), isKept), [Dim(kept)])
    let extents = try add(Gather(axis: 0), try dimensions(shape), numbers)
    return try reshape(x, try self.extents(of: extents, "extent"))
  }

  /// `x` with axes of one element where the list says.
  func unsqueezed(_ x: ValueID, computed axes: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    let rank = shape.count + (try listLength(axes))
    let isNew = try named(axes, rank: rank)
    // The old axis at a place is the number of old axes before it.
    var below: [Int] = []
    for row in 0..<rank { below += (0..<rank).map { $0 < row ? 1 : 0 } }
    let isOld = try cast(try unary(.not, isNew), to: .i64)
    let triangle = try constant(Tensor(.i64, [rank, rank], integers: below))
    let before = try reduce(.sum, try binary(.mul, triangle, isOld), axes: [1], keepDims: false)
    let old = try dimensions(shape + [1])
    let extents = try select(isNew, try scalar(1), try add(Gather(axis: 0), old, before))
    return try reshape(x, try self.extents(of: extents, "extent"))
  }

  /// `x` reduced along each axis that the list names, one after the other.
  func reduced(
    _ function: Reduce.Function, _ x: ValueID, computed axes: ValueID, keepDims: Bool
  ) throws(Diagnostic) -> ValueID {
    let isReduced = try named(axes, rank: try rank(x))
    var result = x
    for axis in 0..<(try rank(x)) {
      // The reduced element in front of the others: the result is one or the other part of that.
      let count = try shape(x)[axis]
      let both = try concat([try reduce(function, result, axes: [axis]), result], axis: axis)
      let choice = try reshape(try slice(isReduced, axis: 0, start: Dim(axis), size: 1), [])
      let start = try extent(of: try cast(try unary(.not, choice), to: .i64), "first", in: 0...1)
      let size = try select(choice, try scalar(1), try dimension(count))
      result = try slice(both, axis: axis, start: start, size: try extent(of: size, "extent"))
    }
    return keepDims ? result : try squeezed(result, computed: axes)
  }

  /// `base`, one number an axis, with `values` for the axes that a list names.
  func spread(_ values: ValueID, over base: ValueID, axes: ValueID) throws(Diagnostic) -> ValueID {
    let rank = try shape(base)[0]
    let numbers = try reshape(try cast(values, to: .i64), [Dim(try listLength(axes))])
    return try add(ScatterElements(axis: 0), base, try counted(axes, in: rank), numbers)
  }

  /// Element `number` of a list, as a scalar.
  func picked(_ list: ValueID, _ number: Int) throws(Diagnostic) -> ValueID {
    try reshape(try slice(list, axis: 0, start: Dim(number), size: 1), [])
  }

  /// A slice of which axes or steps are computed: elements of every axis by number.
  func computedSlice(_ x: ValueID, _ starts: ValueID, _ ends: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    let rank = shape.count
    let count = try listLength(starts)
    let extents = try dimensions(shape)
    var axes = try constant(Array(0..<count))
    if let given = optionalInput(3) { axes = given }
    let zeros = try constant(Array(repeating: 0, count: rank))
    let one = try scalar(1)
    var steps = try constant(Array(repeating: 1, count: rank))
    if let given = optionalInput(4) { steps = try spread(given, over: steps, axes: axes) }
    let (zero, last) = (try scalar(0), try binary(.sub, extents, one))
    let isForward = try compare(.greater, steps, zero)
    let high = try select(isForward, extents, last)
    func position(_ list: ValueID, _ base: ValueID, low: ValueID) throws(Diagnostic) -> ValueID {
      let index = try spread(list, over: base, axes: axes)
      let isNegative = try compare(.less, index, zero)
      let counted = try select(isNegative, try binary(.add, index, extents), index)
      return try binary(.maximum, try binary(.minimum, counted, high), low)
    }
    let first = try position(starts, zeros, low: zeros)
    let end = try position(ends, extents, low: try select(isForward, zero, try scalar(-1)))
    let distance = try select(isForward, try binary(.sub, end, first), try binary(.sub, first, end))
    let stride = try unary(.abs, steps)
    let rounded = try binary(.add, distance, try binary(.sub, stride, one))
    let sizes = try binary(.div, try binary(.maximum, rounded, zero), stride)
    var result = x
    for axis in 0..<rank {
      let bound = max(shape[axis].bounds(symbols).upperBound, 0)
      let size = try extent(of: try picked(sizes, axis), "size", in: 0...bound)
      let offsets = try binary(.mul, try iota(size), try picked(steps, axis))
      result = try add(Gather(axis: axis), result, try binary(.add, offsets, try picked(first, axis)))
    }
    return result
  }

  /// The extents in front of an axis that only the run knows, along it, and behind it, of axes but the last `kept`.
  func outerAndInner(
    _ shape: [Dim], axis: ValueID
  ) throws(Diagnostic) -> (outer: Dim, along: Dim, inner: Dim) {
    let rank = shape.count
    let number = try reshape(try counted(axis, in: Dim(rank)), [])
    let (places, extents) = (try constant(Array(0..<rank)), try dimensions(shape))
    func product(_ function: Compare.Function, _ name: String) throws(Diagnostic) -> Dim {
      let chosen = try select(try compare(function, places, number), extents, try scalar(1))
      return try extent(of: try reduce(.prod, chosen, axes: [0], keepDims: false), name)
    }
    return (try product(.less, "outer"), try product(.equal, "along"), try product(.greater, "inner"))
  }
}

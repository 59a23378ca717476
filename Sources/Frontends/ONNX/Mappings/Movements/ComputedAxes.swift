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
}

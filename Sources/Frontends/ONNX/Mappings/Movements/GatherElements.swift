import IR
import Support

// Gathers by coordinates, as gathers of rows of a flattened tensor.

extension ONNXMapping {
  /// `GatherElements`: as `x`, but along one axis each element says where it is taken from.
  static let gatherElements = ONNXMapping(
    ["GatherElements"], 11...newest, inputs: 2...2, attributes: ["axis"]
  ) { c throws(Diagnostic) in
    let (x, indices) = (try c.input(0), try c.input(1))
    let (shape, wanted) = (try c.shape(x), try c.shape(indices))
    guard wanted.count == shape.count else {
      throw .invalid("the indices have \(wanted.count) axes, x has \(shape.count)")
    }
    let axis = try c.axis(try c.int("axis", default: 0), rank: shape.count)
    var position: ValueID?
    for number in shape.indices {
      var index: ValueID
      if number == axis {
        index = try c.counted(indices, in: shape[axis])
      } else {
        let along = wanted.indices.map { $0 == number ? wanted[number] : 1 }
        index = try c.reshape(try c.iota(wanted[number]), along)
      }
      let stride = shape[(number + 1)...].reduce(Dim(1), *)
      if stride.constant != 1 { index = try c.binary(.mul, index, try c.dimension(stride)) }
      if let sum = position { position = try c.binary(.add, sum, index) } else { position = index }
    }
    guard let position else { throw .invalid("x is a scalar") }
    let flat = try c.reshape(x, [shape.reduce(Dim(1), *)])
    return [try c.add(Gather(axis: 0), flat, position)]
  }

  /// `GatherND`: each row of the indices names an element of `x`, or a slice of its last axes.
  static let gatherND = ONNXMapping(["GatherND"], 11...newest, inputs: 2...2, attributes: ["batch_dims"]) {
    c throws(Diagnostic) in
    let (x, indices) = (try c.input(0), try c.input(1))
    let (shape, rows) = (try c.shape(x), try c.shape(indices))
    let batch = try c.int("batch_dims", default: 0)
    guard let depth = rows.last?.constant, batch >= 0, depth >= 1, batch < rows.count, batch + depth <= shape.count
    else {
      throw .invalid("indices \(rows) with batch_dims \(batch) do not fit x of shape \(shape)")
    }
    let outer = Array(rows.dropLast())
    var position: ValueID?
    for number in 0..<batch + depth {
      var index: ValueID
      if number < batch {
        let along = outer.indices.map { $0 == number ? outer[number] : 1 }
        index = try c.reshape(try c.iota(shape[number]), along)
      } else {
        let column = try c.slice(indices, axis: rows.count - 1, start: Dim(number - batch), size: 1)
        index = try c.counted(try c.reshape(column, outer), in: shape[number])
      }
      let stride = shape[(number + 1)..<batch + depth].reduce(Dim(1), *)
      if stride.constant != 1 { index = try c.binary(.mul, index, try c.dimension(stride)) }
      if let sum = position { position = try c.binary(.add, sum, index) } else { position = index }
    }
    guard let position else { throw .invalid("the indices name no axis") }
    let count = shape[..<(batch + depth)].reduce(Dim(1), *)
    return [try c.add(Gather(axis: 0), try c.reshape(x, [count] + shape[(batch + depth)...]), position)]
  }
}

extension ONNXNodeContext {
  /// Indices counted from the start, as i64.
  func counted(_ indices: ValueID, in extent: Dim) throws(Diagnostic) -> ValueID {
    let index = try cast(indices, to: .i64)
    if let known = integers(index), known.allSatisfy({ $0 >= 0 }) { return index }
    let isNegative = try compare(.less, index, try scalar(0))
    return try select(isNegative, try binary(.add, index, try dimension(extent)), index)
  }
}

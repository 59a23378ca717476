import IR
import Support

extension ONNXMapping {
  /// A cache with new elements written along an axis, from a place of each batch on; `circular` starts over at the end.
  static let tensorScatter = ONNXMapping(
    ["TensorScatter"], 24...newest, inputs: 2...3, attributes: ["axis", "mode"]
  ) { c throws(Diagnostic) in
    let (cache, update) = (try c.input(0), try c.input(1))
    let (shape, written) = (try c.shape(cache), try c.shape(update))
    let axis = try c.axis(try c.int("axis", default: -2), rank: shape.count)
    let mode = try c.string("mode", default: "linear")
    guard axis > 0, written.count == shape.count else {
      throw .invalid("the update \(try c.type(update)) does not go along axis \(axis) of \(try c.type(cache))")
    }
    guard mode == "linear" || mode == "circular" else { throw .invalid("mode is \"\(mode)\"") }
    var places = try c.reshape(
      try c.iota(written[axis]), written.indices.map { $0 == axis ? written[axis] : 1 })
    if let starts = c.optionalInput(2) {
      let first = try c.reshape(try c.cast(starts, to: .i64), written.indices.map { $0 == 0 ? written[0] : 1 })
      places = try c.binary(.add, places, first)
    }
    if mode == "circular" { places = try c.binary(.mod, places, try c.dimension(shape[axis])) }
    return [try c.add(ScatterElements(axis: axis), cache, try c.broadcast(places, written), update)]
  }
}

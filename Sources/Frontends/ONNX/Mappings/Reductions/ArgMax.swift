import IR
import Support

extension ONNXMapping {
  static let argMax = ONNXMapping(
    ["ArgMax", "ArgMin"], 1...newest, inputs: 1...1, attributes: ["axis", "keepdims", "select_last_index"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let axis = try c.axis(try c.int("axis", default: 0), rank: try c.rank(x))
    let function: ArgExtreme.Function = c.node.operatorType == "ArgMax" ? .max : .min
    let last = try c.flag("select_last_index", default: false)
    let index = try c.add(ArgExtreme(function, axis: axis, last: last), x)
    guard try !c.flag("keepdims", default: true) else { return [index] }
    var dims = try c.shape(index)
    dims.remove(at: axis)
    return [try c.reshape(index, dims)]
  }

  static let hardmax = ONNXMapping(["Hardmax"], 13...newest, inputs: 1...1, attributes: ["axis"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let axis = try c.axis(try c.int("axis", default: -1), rank: try c.rank(x))
    let index = try c.add(ArgExtreme(.max, axis: axis), x)
    return [try c.cast(try c.compare(.equal, try c.iota(along: axis, of: x), index), to: try c.element(x))]
  }
}

extension ONNXNodeContext {
  /// 0, 1, ... along an axis of `x`, with extents of 1 elsewhere.
  func iota(along axis: Int, of x: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    return try reshape(try iota(shape[axis]), shape.indices.map { $0 == axis ? shape[axis] : 1 })
  }
}

import IR
import Support

extension ONNXMapping {
  /// One value where the number along the new axis is the index, another elsewhere.
  static let oneHot = ONNXMapping(["OneHot"], 9...newest, inputs: 3...3, attributes: ["axis"]) { c throws(Diagnostic) in
    let values = try c.input(2)
    let depth = try c.extent(of: try c.truncated(try c.input(1)), "depth")
    let indices = try c.counted(try c.truncated(try c.input(0)), in: depth)
    var shape = try c.shape(indices)
    let axis = try c.axis(try c.int("axis", default: -1), rank: shape.count + 1)
    shape.insert(1, at: axis)
    let numbers = try c.reshape(try c.iota(depth), shape.indices.map { $0 == axis ? depth : 1 })
    let isHot = try c.compare(.equal, try c.reshape(indices, shape), numbers)
    let off = try c.reshape(try c.slice(values, axis: 0, start: 0, size: 1), [])
    let on = try c.reshape(try c.slice(values, axis: 0, start: 1, size: 1), [])
    return [try c.select(isHot, on, off)]
  }

  /// Slices along an axis, or elements, where the condition holds.
  static let compress = ONNXMapping(["Compress"], 9...newest, inputs: 2...2, attributes: ["axis"]) {
    c throws(Diagnostic) in
    var x = try c.input(0)
    let condition = try c.input(1)
    guard try c.rank(condition) == 1 else { throw .invalid("the condition is \(try c.type(condition))") }
    var axis = 0
    if let given = try c.int("axis") {
      axis = try c.axis(given, rank: try c.rank(x))
    } else {
      x = try c.reshape(x, [try c.type(x).elementCount])
    }
    let most = try c.shape(condition)[0].bounds(c.symbols).upperBound
    let kept = c.freshSymbol("kept", in: 0...max(most, 0))
    guard let symbol = kept.symbolName else { throw .bug("a fresh symbol is none") }
    let numbers = try c.reshape(try c.add(NonZero(extent: symbol), condition), [kept])
    return [try c.add(Gather(axis: axis), x, numbers)]
  }
}

extension ONNXNodeContext {
  /// An integer, or the part of a float before the point, as i64.
  fileprivate func truncated(_ value: ValueID) throws(Diagnostic) -> ValueID { try cast(value, to: .i64) }
}

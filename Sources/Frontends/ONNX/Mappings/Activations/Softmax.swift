import IR
import Support

extension ONNXMapping {
  static let softmax = ONNXMapping(["Softmax"], 13...newest, inputs: 1...1, attributes: ["axis"]) {
    c throws(Diagnostic) in
    [try c.add(Softmax(axis: try c.int("axis", default: -1)), try c.input(0))]
  }

  /// Before opset 13 all axes from `axis` on counted as one.
  static let flatSoftmax = ONNXMapping(["Softmax"], 1...12, inputs: 1...1, attributes: ["axis"]) {
    c throws(Diagnostic) in
    [try c.flattened(try c.input(0)) { x throws(Diagnostic) in try c.add(Softmax(axis: 1), x) }]
  }

  static let logSoftmax = ONNXMapping(
    ["LogSoftmax"], 13...newest, inputs: 1...1, attributes: ["axis"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    return [try c.logSoftmax(x, axis: try c.axis(try c.int("axis", default: -1), rank: try c.rank(x)))]
  }

  static let flatLogSoftmax = ONNXMapping(
    ["LogSoftmax"], 1...12, inputs: 1...1, attributes: ["axis"]
  ) { c throws(Diagnostic) in
    [try c.flattened(try c.input(0)) { x throws(Diagnostic) in try c.logSoftmax(x, axis: 1) }]
  }
}

extension ONNXNodeContext {
  func logSoftmax(_ x: ValueID, axis: Int) throws(Diagnostic) -> ValueID {
    let shifted = try binary(.sub, x, try reduce(.max, x, axes: [axis]))
    let sum = try reduce(.sum, try unary(.exp, shifted), axes: [axis])
    return try binary(.sub, shifted, try unary(.log, sum))
  }

  /// Runs `body` on `x` as the matrix that attribute `axis` cuts it into.
  func flattened(
    _ x: ValueID, _ body: (ValueID) throws(Diagnostic) -> ValueID
  ) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    let number = try int("axis", default: 1)
    let axis = number == shape.count ? number : try axis(number, rank: shape.count)
    let rows = shape[..<axis].reduce(Dim(1), *)
    let columns = shape[axis...].reduce(Dim(1), *)
    return try reshape(try body(try reshape(x, [rows, columns])), shape)
  }
}

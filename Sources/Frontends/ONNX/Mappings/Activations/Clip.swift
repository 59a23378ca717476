import IR
import Support

extension ONNXMapping {
  static let clipByAttributes = ONNXMapping(
    ["Clip"], 6...10, inputs: 1...1, attributes: ["min", "max"]
  ) { c throws(Diagnostic) in
    var x = try c.input(0)
    if let low = try c.float("min") { x = try c.binary(.maximum, x, try c.number(low, like: x)) }
    if let high = try c.float("max") { x = try c.binary(.minimum, x, try c.number(high, like: x)) }
    return [x]
  }

  /// The upper bound comes last, so that it wins where the bounds cross.
  static let clip = ONNXMapping(["Clip"], 11...newest, inputs: 1...3) { c throws(Diagnostic) in
    var x = try c.input(0)
    if let low = c.optionalInput(1) { x = try c.binary(.maximum, x, try c.reshape(low, [])) }
    if let high = c.optionalInput(2) { x = try c.binary(.minimum, x, try c.reshape(high, [])) }
    return [x]
  }
}

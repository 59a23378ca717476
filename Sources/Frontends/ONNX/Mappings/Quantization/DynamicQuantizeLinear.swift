import IR
import Support

extension ONNXMapping {
  /// A range that holds every element and zero, cut into 255 steps.
  static let dynamicQuantizeLinear = ONNXMapping(["DynamicQuantizeLinear"], 11...newest, inputs: 1...1) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let zero = try c.number(0, like: x)
    let axes = Array(0..<(try c.rank(x)))
    let low = try c.binary(.minimum, try c.reduce(.min, x, axes: axes, keepDims: false), zero)
    let high = try c.binary(.maximum, try c.reduce(.max, x, axes: axes, keepDims: false), zero)
    let span = try c.binary(.div, try c.binary(.sub, high, low), try c.number(255, like: x))
    // Of zeros only, any scale will do.
    let scale = try c.select(try c.compare(.equal, span, zero), try c.number(1, like: x), span)
    let shifted = try c.unary(.round, try c.binary(.div, try c.unary(.neg, low), scale))
    let clipped = try c.binary(.minimum, try c.binary(.maximum, shifted, zero), try c.number(255, like: x))
    let zeroPoint = try c.cast(clipped, to: .u8)
    return [try c.add(Quantize(to: .plain(.u8)), x, scale, zeroPoint), scale, zeroPoint]
  }
}

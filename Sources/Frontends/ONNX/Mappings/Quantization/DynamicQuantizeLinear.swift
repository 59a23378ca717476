import IR
import Support

extension ONNXMapping {
  static let dynamicQuantizeLinear = ONNXMapping(["DynamicQuantizeLinear"], 11...newest, inputs: 1...1) {
    c throws(Diagnostic) in
    let (value, scale, zero) = try c.dynamicallyQuantized(try c.input(0))
    return [value, scale, zero]
  }
}

extension ONNXNodeContext {
  /// `x` as bytes, by a range that holds every element and zero, cut into 255 steps.
  func dynamicallyQuantized(_ x: ValueID) throws(Diagnostic) -> (value: ValueID, scale: ValueID, zero: ValueID) {
    let zero = try number(0, like: x)
    let axes = Array(0..<(try rank(x)))
    let low = try binary(.minimum, try reduce(.min, x, axes: axes, keepDims: false), zero)
    let high = try binary(.maximum, try reduce(.max, x, axes: axes, keepDims: false), zero)
    let span = try binary(.div, try binary(.sub, high, low), try number(255, like: x))
    // Of zeros only, any scale will do.
    let scale = try select(try compare(.equal, span, zero), try number(1, like: x), span)
    let shifted = try unary(.round, try binary(.div, try unary(.neg, low), scale))
    let clipped = try binary(.minimum, try binary(.maximum, shifted, zero), try number(255, like: x))
    let zeroPoint = try cast(clipped, to: .u8)
    return (try add(Quantize(to: .plain(.u8)), x, scale, zeroPoint), scale, zeroPoint)
  }
}

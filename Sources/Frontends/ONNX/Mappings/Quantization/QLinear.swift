import IR
import Support

extension ONNXNodeContext {
  /// Sums of byte products to the bytes that stand for them: scaled to real numbers, then quantized.
  ///
  /// `factor` is the product of the scales, one or a row for the last axis; `scale` and `zero` are the result's.
  func requantized(
    _ sums: ValueID, factor: ValueID, _ scale: ValueID, _ zero: ValueID
  ) throws(Diagnostic) -> ValueID {
    let last = try rank(sums) - 1
    let real: ValueID
    if try rank(factor) <= 1 {
      let row = try parameterOperand(factor, of: sums, axis: last)
      real = try add(Dequantize(to: .f32, axis: last), sums, row)
    } else {
      real = try binary(.mul, try cast(sums, to: .f32), factor)
    }
    let one = try parameterOperand(scale, of: real, axis: last)
    let point = try parameterOperand(zero, of: real, axis: last)
    return try add(Quantize(to: .plain(try element(zero)), axis: last), real, try cast(one, to: .f32), point)
  }

  private func scalarIfOne(_ value: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(value)
    return shape.count == 1 && shape[0].constant == 1 ? try reshape(value, []) : value
  }

  /// A scale or zero point for rows of a matrix stands along its second last axis.
  fileprivate func rowParameter(_ value: ValueID) throws(Diagnostic) -> ValueID {
    let one = try scalarIfOne(value)
    return try rank(one) == 1 ? try reshape(one, try shape(one) + [1]) : one
  }
}

extension ONNXMapping {
  static let qLinearMatMul = ONNXMapping(["QLinearMatMul"], 10...newest, inputs: 8...8) { c throws(Diagnostic) in
    let left = try c.rowParameter(try c.input(2))
    let right = try c.input(5)
    let sums = try c.matrixProduct(try c.input(0), try c.input(3)) { a, b throws(Diagnostic) in
      try c.integerProduct(QuantizedOperand(value: a, zero: left), QuantizedOperand(value: b, zero: right))
    }
    let (a, b) = (try c.cast(try c.rowParameter(try c.input(1)), to: .f32), try c.cast(try c.input(4), to: .f32))
    return [try c.requantized(sums, factor: try c.binary(.mul, a, b), try c.input(6), try c.input(7))]
  }

  static let qLinearConv = ONNXMapping(
    ["QLinearConv"], 10...newest, inputs: 8...9, attributes: ONNXWindow.attributes + ["group"]
  ) { c throws(Diagnostic) in
    let x = QuantizedOperand(value: try c.input(0), zero: try c.reshape(try c.input(2), []))
    let w = QuantizedOperand(value: try c.input(3), zero: try c.input(5))
    var sums = try c.integerConvolution(x, w)
    if let bias = c.optionalInput(8) { sums = try c.binary(.add, sums, bias) }
    let factor = try c.binary(.mul, try c.reshape(try c.input(1), []), try c.input(4))
    let scaled = try c.requantized(sums, factor: factor, try c.input(6), try c.input(7))
    return [try c.channelsFirst(scaled)]
  }
}

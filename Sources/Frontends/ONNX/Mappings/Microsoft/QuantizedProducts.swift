import IR
import Support

extension ONNXMapping {
  static let qGemm = ONNXMapping(
    ["QGemm"], 1...newest, inputs: 6...9, attributes: ["alpha", "transA", "transB"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let a = try c.flag("transA", default: false) ? try c.swappedLastAxes(try c.input(0)) : try c.input(0)
    let b = try c.flag("transB", default: false) ? try c.swappedLastAxes(try c.input(3)) : try c.input(3)
    var sums = try c.integerProduct(
      QuantizedOperand(value: a, zero: try c.reshape(try c.input(2), [])),
      QuantizedOperand(value: b, zero: c.optionalInput(5)))
    if let bias = c.optionalInput(6) { sums = try c.binary(.add, sums, bias) }
    var factor = try c.binary(.mul, try c.reshape(try c.input(1), []), try c.input(4))
    let alpha = try c.float("alpha", default: 1)
    if alpha != 1 { factor = try c.binary(.mul, factor, try c.scalar(alpha, .f32)) }
    guard let scale = c.optionalInput(7) else { return [try c.scaled(sums, by: factor)] }
    guard let zero = c.optionalInput(8) else { throw .invalid("y_zero_point is missing") }
    return [try c.requantized(sums, factor: factor, scale, zero)]
  }

  static let matMulIntegerToFloat = ONNXMapping(
    ["MatMulIntegerToFloat"], 1...newest, inputs: 4...7, domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let a = QuantizedOperand(value: try c.input(0), zero: c.optionalInput(4))
    return [
      try c.realProduct(a, try c.input(2), try c.input(1), try c.input(3), c.optionalInput(5), c.optionalInput(6))
    ]
  }

  static let dynamicQuantizeMatMul = ONNXMapping(
    ["DynamicQuantizeMatMul"], 1...newest, inputs: 3...5, domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let (value, scale, zero) = try c.dynamicallyQuantized(try c.input(0))
    let a = QuantizedOperand(value: value, zero: zero)
    return [try c.realProduct(a, scale, try c.input(1), try c.input(2), c.optionalInput(3), c.optionalInput(4))]
  }

  static let qAttention = ONNXMapping(
    ["QAttention"], 1...newest, inputs: 5...9,
    attributes: [
      "do_rotary", "mask_filter_value", "num_heads", "past_present_share_buffer", "scale", "unidirectional",
    ],
    domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let zero = try c.optionalInput(6).map { value throws(Diagnostic) in try c.reshape(value, []) }
    let x = QuantizedOperand(value: try c.input(0), zero: zero)
    let projected = try c.realProduct(
      x, try c.input(3), try c.input(1), try c.input(4), c.optionalInput(7), try c.input(2))
    return try c.packedAttention(projected, mask: c.optionalInput(5), past: c.optionalInput(8), bias: nil)
  }

  /// The weights are bytes; here they become real numbers, and so does everything else.
  static let dynamicQuantizeLSTM = ONNXMapping(
    ["DynamicQuantizeLSTM"], 1...newest, inputs: 12...12,
    attributes: [
      "activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "input_forget",
    ], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    func weights(_ number: Int, _ scale: Int) throws(Diagnostic) -> ValueID {
      let stored = try c.input(number)
      let directions = try c.shape(stored)[0]
      func parameter(_ value: ValueID) throws(Diagnostic) -> ValueID {
        let count = try c.type(value).elementCount
        return try c.reshape(value, [directions, 1, count == directions ? 1 : try c.shape(stored)[2]])
      }
      let zero = try c.cast(try parameter(try c.input(scale + 1)), to: .f32)
      let centered = try c.binary(.sub, try c.cast(stored, to: .f32), zero)
      return try c.transpose(try c.binary(.mul, centered, try parameter(try c.input(scale))), [0, 2, 1])
    }
    var operands = Array(c.operands.prefix(8))
    (operands[1], operands[2]) = (try weights(1, 8), try weights(2, 10))
    return try lstm.map(c.with(operands))
  }
}

extension ONNXNodeContext {
  /// Sums of products of bytes as real numbers; `factor` is one number or a row.
  fileprivate func scaled(_ sums: ValueID, by factor: ValueID) throws(Diagnostic) -> ValueID {
    let last = try rank(sums) - 1
    guard try rank(factor) <= 1 else { return try binary(.mul, try cast(sums, to: .f32), factor) }
    return try add(Dequantize(to: .f32, axis: last), sums, try parameterOperand(factor, of: sums, axis: last))
  }

  /// The product of bytes as real numbers, plus a bias.
  fileprivate func realProduct(
    _ a: QuantizedOperand, _ scale: ValueID, _ b: ValueID, _ otherScale: ValueID, _ zero: ValueID?, _ bias: ValueID?
  ) throws(Diagnostic) -> ValueID {
    let sums = try matrixProduct(a.value, b) { x, y throws(Diagnostic) in
      try integerProduct(QuantizedOperand(value: x, zero: a.zero), QuantizedOperand(value: y, zero: zero))
    }
    let one = try shape(scale).count == 0 ? scale : try reshape(scale, [])
    let real = try scaled(sums, by: try binary(.mul, one, otherScale))
    return try bias.map { value throws(Diagnostic) in try binary(.add, real, value) } ?? real
  }
}

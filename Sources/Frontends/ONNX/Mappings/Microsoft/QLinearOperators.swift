import IR
import Support

// Bytes in, bytes out, and between them what the operator does with real numbers. Where that is element by element, one
// kernel reads the bytes and writes bytes.

extension ONNXMapping {
  static let microsoftQuantizations: [ONNXMapping] = [
    qLinearBinary, qLinearActivation, qLinearSoftmax, qLinearAveragePool, qLinearGlobalAveragePool, qLinearConcat,
    qLinearReduceMean, qLinearWhere, channelsLastQLinearConv, qGemm, matMulIntegerToFloat, dynamicQuantizeMatMul,
    qAttention, dynamicQuantizeLSTM,
  ]

  static let qLinearBinary = ONNXMapping(
    ["QLinearAdd", "QLinearMul"], 1...newest, inputs: 7...8, domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let function: Binary.Function = c.node.operatorType == "QLinearAdd" ? .add : .mul
    let result = try c.binary(function, try c.real(0), try c.real(3))
    return [try c.stored(result, 6, like: try c.input(0))]
  }

  static let qLinearActivation = ONNXMapping(
    ["QLinearSigmoid", "QLinearLeakyRelu"], 1...newest, inputs: 4...5, attributes: ["alpha"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let x = try c.real(0)
    let isSigmoid = c.node.operatorType == "QLinearSigmoid"
    let alpha = try c.float("alpha", default: 0.01)
    let result = try isSigmoid ? c.unary(.sigmoid, x) : c.activated(x, "LeakyRelu", [alpha])
    return [try c.stored(result, 3, like: try c.input(0))]
  }

  /// Before opset 13 all axes from `axis` on counted as one.
  static let qLinearSoftmax = ONNXMapping(
    ["QLinearSoftmax"], 1...newest, inputs: 5...5, attributes: ["axis", "opset"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let x = try c.real(0)
    let isFlat = try c.int("opset", default: 13) < 13
    let result =
      try isFlat
      ? c.flattened(x) { x throws(Diagnostic) in try c.add(Softmax(axis: 1), x) }
      : c.add(Softmax(axis: try c.int("axis", default: -1)), x)
    return [try c.stored(result, 3, like: try c.input(0))]
  }

  static let qLinearAveragePool = ONNXMapping(
    ["QLinearAveragePool"], 1...newest, inputs: 4...5,
    attributes: ONNXWindow.attributes + ["ceil_mode", "channels_last", "count_include_pad"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let isLast = try c.flag("channels_last", default: false)
    let x = try c.real(0)
    let pooled = try averagePool.map(c.with([isLast ? try c.channelsFirst(x) : x]))[0]
    return [try c.stored(isLast ? try c.channelsLast(pooled) : pooled, 3, like: try c.input(0))]
  }

  static let qLinearGlobalAveragePool = ONNXMapping(
    ["QLinearGlobalAveragePool"], 1...newest, inputs: 5...5, attributes: ["channels_last"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let x = try c.real(0)
    let rank = try c.rank(x)
    guard rank >= 3 else { throw .invalid("the image is \(try c.type(x)), without spatial axes") }
    let isLast = try c.flag("channels_last", default: false)
    let mean = try c.reduce(.mean, x, axes: isLast ? Array(1..<rank - 1) : Array(2..<rank))
    return [try c.stored(mean, 3, like: try c.input(0))]
  }

  static let qLinearReduceMean = ONNXMapping(
    ["QLinearReduceMean"], 1...newest, inputs: 4...5, attributes: ["axes", "keepdims"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let x = try c.real(0)
    let rank = try c.rank(x)
    var axes: [Int] = []
    for axis in try c.ints("axes") ?? Array(0..<rank) { axes.append(try c.axis(axis, rank: rank)) }
    let mean = try c.reduce(.mean, x, axes: axes, keepDims: try c.flag("keepdims", default: true))
    return [try c.stored(mean, 3, like: try c.input(0))]
  }

  static let qLinearConcat = ONNXMapping(
    ["QLinearConcat"], 1...newest, inputs: 5...Int.max, attributes: ["axis"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    guard c.operands.count % 3 == 2, let axis = try c.int("axis") else {
      throw .invalid(
        "\(c.operands.count) inputs are no list of tensors with scales and zero points, or axis is missing")
    }
    var parts: [ValueID] = []
    for number in stride(from: 2, to: c.operands.count, by: 3) { parts.append(try c.real(number)) }
    let joined = try c.concat(parts, axis: try c.axis(axis, rank: try c.rank(parts[0])))
    return [try c.stored(joined, 0, like: try c.input(2))]
  }

  static let qLinearWhere = ONNXMapping(["QLinearWhere"], 1...newest, inputs: 9...9, domain: microsoftDomain) {
    c throws(Diagnostic) in
    let chosen = try c.select(try c.input(0), try c.real(1), try c.real(4))
    return [try c.stored(chosen, 7, like: try c.input(1))]
  }

  static let channelsLastQLinearConv = ONNXMapping(
    ["QLinearConv"], 1...newest, inputs: 8...9, attributes: ONNXWindow.attributes + ["channels_last", "group"],
    domain: microsoftDomain
  ) { c throws(Diagnostic) in
    guard try c.flag("channels_last", default: false) else { return try qLinearConv.map(c) }
    var operands = c.operands
    operands[0] = try c.channelsFirst(try c.input(0))
    return [try c.channelsLast(try qLinearConv.map(c.with(operands))[0])]
  }

  static let channelsLastMaxPool = ONNXMapping(
    ["NhwcMaxPool"], 1...newest, inputs: 1...1, attributes: ONNXWindow.attributes + ["ceil_mode"],
    domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let pooled = try maxPool.map(c.with([try c.channelsFirst(try c.input(0))]))[0]
    return [try c.channelsLast(pooled)]
  }
}

extension ONNXNodeContext {
  /// The real numbers of input `number`, whose scale and zero point come behind it.
  fileprivate func real(_ number: Int) throws(Diagnostic) -> ValueID {
    let scale = try reshape(try cast(try input(number + 1), to: .f32), [])
    let zero = try optionalInput(number + 2).map { value throws(Diagnostic) in try reshape(value, []) }
    return try add(Dequantize(to: .f32), try input(number), scale, zero)
  }

  /// Real numbers as bytes by the scale and zero point that inputs `number` and the next give.
  fileprivate func stored(_ x: ValueID, _ number: Int, like original: ValueID) throws(Diagnostic) -> ValueID {
    let scale = try reshape(try cast(try input(number), to: .f32), [])
    let zero = try optionalInput(number + 1).map { value throws(Diagnostic) in try reshape(value, []) }
    return try add(Quantize(to: .plain(try element(original))), x, scale, zero)
  }
}

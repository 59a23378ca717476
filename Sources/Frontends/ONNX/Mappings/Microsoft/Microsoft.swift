import IR
import Support

// ONNX Runtime's own operators, which its exporters and optimizers write: what the format spells out fused into one, or
// what the format took up later. Here they are spelled out again.

extension ONNXMapping {
  static let microsoftDomain = "com.microsoft"

  static let microsoft: [ONNXMapping] =
    [
      fusedMatMul, fusedGemm, fusedConvolution, gemmFastGelu, quickGelu, biasSplitGelu, biasAdd, embedding,
      pairDistances,
      channelsLastMaxPool, channelsLastGroupNorm, matMulBits, gatherBlocks, mixtureOfExperts, expandDims,
    ] + microsoftNames + microsoftQuantizations

  /// Operators of the format itself, under this domain too.
  private static let microsoftNames: [ONNXMapping] = [
    triangle.under(microsoftDomain), pad.under(microsoftDomain), gridSample.under(microsoftDomain),
    gatherND.under(microsoftDomain), quantizeLinear.under(microsoftDomain), dequantizeLinear.under(microsoftDomain),
    causalConvolution.under(
      microsoftDomain, onlyWith: ["channels_last": 0, "dilation": 1, "ndim": 1, "state_window": 0]),
    linearAttention.under(microsoftDomain, onlyWith: ["state_window": 0]),
  ]

  /// The same operators in another domain, which has more attributes, of which only these values mean the same.
  private func under(_ domain: String, onlyWith values: [String: Int] = [:]) -> ONNXMapping {
    let map = self.map
    return ONNXMapping(
      operators, 1...ONNXMapping.newest, inputs: inputs, attributes: attributes + values.keys.sorted(), domain: domain
    ) { c throws(Diagnostic) in
      for (name, value) in values.sorted(by: { $0.key < $1.key }) {
        if let given = try c.int(name), given != value { throw .unsupported("\(name) \(given) is not supported") }
      }
      return try map(c)
    }
  }
}

extension ONNXNodeContext {
  /// The same node with other inputs.
  func with(_ operands: [ValueID?]) -> ONNXNodeContext {
    ONNXNodeContext(importer: importer, node: node, version: version, operands: operands)
  }

  /// What an activation called by name makes of `x`; none where the name is empty.
  func activated(_ x: ValueID, _ name: String, _ parameters: [Double]) throws(Diagnostic) -> ValueID {
    func parameter(_ place: Int, _ value: Double) -> Double { place < parameters.count ? parameters[place] : value }
    switch name {
    case "": return x
    case "Relu": return try unary(.relu, x)
    case "Sigmoid": return try unary(.sigmoid, x)
    case "Tanh": return try unary(.tanh, x)
    case "HardSwish": return try unary(.hardSwish, x)
    case "Gelu": return try unary(.gelu, x)
    case "LeakyRelu":
      let scaled = try binary(.mul, x, try number(parameter(0, 0.01), like: x))
      return try select(try compare(.less, x, try number(0, like: x)), scaled, x)
    case "Clip":
      let low = try number(parameter(0, -Double.infinity), like: x)
      let high = try number(parameter(1, .infinity), like: x)
      return try binary(.minimum, try binary(.maximum, x, low), high)
    case "HardSigmoid": return try hardSigmoid(x, parameter(0, 0.2), parameter(1, 0.5))
    case "Elu": return try exponentialUnit(x, alpha: parameter(0, 1), divisor: 1, outer: 1)
    default: throw .unsupported("the activation \"\(name)\" is not supported")
    }
  }
}

import IR
import Support

// Products with what stands in front or behind in one operator.

extension ONNXMapping {
  static let fusedMatMul = ONNXMapping(
    ["FusedMatMul", "TransposeMatMul", "FusedMatMulActivation"], 1...newest, inputs: 2...2,
    attributes: [
      "activation", "activation_alpha", "activation_axis", "activation_beta", "activation_gamma", "alpha", "transA",
      "transB", "transBatchA", "transBatchB",
    ], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    /// The rows may stand in front of the batch.
    func side(_ number: Int, _ name: String, isLeft: Bool) throws(Diagnostic) -> (ValueID, Bool) {
      let x = try c.input(number)
      let rank = try c.rank(x)
      let isTurned = try c.flag("trans" + name, default: false)
      guard try c.flag("transBatch" + name, default: false), rank > 2 else { return (x, isTurned && rank > 1) }
      return (try c.transpose(x, Array(1..<rank - 1) + [0, rank - 1]), isTurned)
    }
    let (a, transposeLHS) = try side(0, "A", isLeft: true)
    let (b, transposeRHS) = try side(1, "B", isLeft: false)
    let product = try c.matrixProduct(a, b) { a, b throws(Diagnostic) in
      try c.numberProduct(a, b, transposeLHS: transposeLHS, transposeRHS: transposeRHS)
    }
    let factor = try c.float("alpha", default: 1)
    let scaled = factor == 1 ? product : try c.binary(.mul, product, try c.number(factor, like: product))
    return [try c.activated(scaled, try c.string("activation", default: ""), try c.activationParameters())]
  }

  static let fusedGemm = ONNXMapping(
    ["FusedGemm"], 1...newest, inputs: 2...3,
    attributes: [
      "activation", "activation_alpha", "activation_beta", "activation_gamma", "alpha", "beta", "transA", "transB",
    ], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let product = try gemm.map(c)[0]
    return [try c.activated(product, try c.string("activation", default: ""), try c.activationParameters())]
  }

  /// A convolution, plus a tensor of its result's shape, and an activation.
  static let fusedConvolution = ONNXMapping(
    ["FusedConv"], 1...newest, inputs: 2...4,
    attributes: ONNXWindow.attributes + ["activation", "activation_params", "group"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    var result = try convolution.map(c.with(Array(c.operands.prefix(3))))[0]
    if let addend = c.optionalInput(3) { result = try c.binary(.add, result, addend) }
    let parameters = try c.floats("activation_params") ?? []
    return [try c.activated(result, try c.string("activation", default: ""), parameters.map { Double($0) })]
  }

  static let gemmFastGelu = ONNXMapping(["GemmFastGelu"], 1...newest, inputs: 2...3, domain: microsoftDomain) {
    c throws(Diagnostic) in
    var product = try c.matrixProduct(try c.input(0), try c.input(1)) { a, b throws(Diagnostic) in
      try c.numberProduct(a, b)
    }
    if let bias = c.optionalInput(2) { product = try c.binary(.add, product, bias) }
    return [try c.unary(.geluTanh, product)]
  }

  /// The distance of every row of one matrix from every row of another.
  static let pairDistances = ONNXMapping(
    ["CDist"], 1...newest, inputs: 2...2, attributes: ["metric"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let (a, b) = (try c.input(0), try c.input(1))
    let (m, n) = (try c.shape(a), try c.shape(b))
    guard m.count == 2, n.count == 2 else { throw .invalid("the inputs are \(try c.type(a)) and \(try c.type(b))") }
    let apart = try c.binary(.sub, try c.reshape(a, [m[0], 1, m[1]]), try c.reshape(b, [1, n[0], n[1]]))
    let squares = try c.reduce(.sum, try c.binary(.mul, apart, apart), axes: [2], keepDims: false)
    switch try c.string("metric", default: "sqeuclidean") {
    case "sqeuclidean": return [squares]
    case "euclidean": return [try c.unary(.sqrt, squares)]
    case let other: throw .invalid("metric is \"\(other)\", expected euclidean or sqeuclidean")
    }
  }
}

extension ONNXNodeContext {
  fileprivate func activationParameters() throws(Diagnostic) -> [Double] {
    var result: [Double] = []
    for name in ["activation_alpha", "activation_beta", "activation_gamma"] {
      guard let value = try float(name) else { break }
      result.append(value)
    }
    return result
  }
}

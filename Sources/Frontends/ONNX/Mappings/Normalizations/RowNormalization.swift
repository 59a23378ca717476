import IR
import Support

extension ONNXNodeContext {
  /// Which elements `scale` and `bias` of a normalisation over the axes from `axis` on belong to: with leading extents
  /// of 1 they may have as many axes as `x`. Nil where they differ from row to row.
  fileprivate func rowFactor(_ factor: ValueID, axis: Int, rank: Int) throws(Diagnostic) -> ValueID? {
    let shape = try shape(factor)
    guard shape.count <= rank else { throw .invalid("a factor of shape \(shape) does not fit the input") }
    let extra = max(shape.count - (rank - axis), 0)
    guard shape[..<extra].allSatisfy({ $0.constant == 1 }) else { return nil }
    return try reshape(factor, Array(shape[extra...]))
  }

  /// `normalize`d rows of `x`, computed in the type `stash_type` names, times `scale` and plus `bias`.
  fileprivate func normalizedRows(
    _ x: ValueID, scale: ValueID, bias: ValueID?, _ op: (_ axis: Int, _ epsilon: Double) -> any OpKind
  ) throws(Diagnostic) -> ValueID {
    let rank = try rank(x)
    let axis = try axis(try int("axis", default: -1), rank: rank)
    let kind = op(axis, try float("epsilon", default: 1e-5))
    let type = try element(x)
    let factor = try rowFactor(scale, axis: axis, rank: rank)
    let scaleType = try element(scale)
    var hasPlainFactors = factor != nil && scaleType == type
    var addend: ValueID?
    if let bias {
      addend = try rowFactor(bias, axis: axis, rank: rank)
      let biasType = try element(bias)
      hasPlainFactors = hasPlainFactors && addend != nil && biasType == type
    }
    if hasPlainFactors { return try bias == nil ? add(kind, x, factor) : add(kind, x, factor, addend) }
    var result = try binary(.mul, try cast(try add(kind, x), to: try element(scale)), scale)
    if let bias { result = try binary(.add, result, bias) }
    return result
  }
}

extension ONNXMapping {
  static let layerNormalization = ONNXMapping(
    ["LayerNormalization"], 1...newest, inputs: 2...3, attributes: ["axis", "epsilon", "stash_type"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let result = try c.normalizedRows(x, scale: try c.input(1), bias: c.optionalInput(2)) {
      LayerNorm(axis: $0, epsilon: $1)
    }
    guard c.hasOutput(1) || c.hasOutput(2) else { return [result] }
    let rank = try c.rank(x)
    let axis = try c.axis(try c.int("axis", default: -1), rank: rank)
    let normal = try c.normalized(
      try c.cast(x, to: try c.elementType("stash_type") ?? .f32), axes: Array(axis..<rank),
      epsilon: try c.float("epsilon", default: 1e-5))
    return [result, normal.mean, normal.inverseDeviation]
  }

  static let rmsNormalization = ONNXMapping(
    ["RMSNormalization"], 23...newest, inputs: 2...2, attributes: ["axis", "epsilon", "stash_type"]
  ) { c throws(Diagnostic) in
    [try c.normalizedRows(try c.input(0), scale: try c.input(1), bias: nil) { RMSNorm(axis: $0, epsilon: $1) }]
  }

  /// ONNX Runtime's name for the same, from before the format had it.
  static let simplifiedLayerNormalization = ONNXMapping(
    ["SimplifiedLayerNormalization"], 1...newest, inputs: 2...2, attributes: ["axis", "epsilon", "stash_type"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let result = try c.normalizedRows(x, scale: try c.input(1), bias: nil) { RMSNorm(axis: $0, epsilon: $1) }
    return c.hasOutput(1) ? [result, try c.inverseRootMeanSquare(x)] : [result]
  }

  /// The sum of two tensors (and a bias), normalised; the sum is a result too.
  static let skipLayerNormalization = ONNXMapping(
    ["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"], 1...newest, inputs: 3...5,
    attributes: ["epsilon"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let isSimplified = c.node.operatorType == "SkipSimplifiedLayerNormalization"
    var sum = try c.binary(.add, try c.input(0), try c.input(1))
    if let bias = c.optionalInput(isSimplified ? 3 : 4) { sum = try c.binary(.add, sum, bias) }
    let result = try c.normalizedRows(sum, scale: try c.input(2), bias: isSimplified ? nil : c.optionalInput(3)) {
      (isSimplified ? RMSNorm(axis: $0, epsilon: $1) : LayerNorm(axis: $0, epsilon: $1)) as any OpKind
    }
    var results = [result]
    if c.hasOutput(1) || c.hasOutput(2) || c.hasOutput(3) {
      let rank = try c.rank(sum)
      let normal = try c.normalized(
        try c.cast(sum, to: .f32), axes: [rank - 1], epsilon: try c.float("epsilon", default: 1e-5))
      let inverse = isSimplified ? try c.inverseRootMeanSquare(sum) : normal.inverseDeviation
      results += [normal.mean, inverse, sum]
    }
    return results
  }
}

extension ONNXNodeContext {
  fileprivate func inverseRootMeanSquare(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let rank = try rank(x)
    let axis = try axis(try int("axis", default: -1), rank: rank)
    let value = try cast(x, to: .f32)
    let square = try reduce(.mean, try binary(.mul, value, value), axes: Array(axis..<rank))
    return try unary(.rsqrt, try binary(.add, square, try number(try float("epsilon", default: 1e-5), like: value)))
  }
}

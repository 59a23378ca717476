import Formats
import IR
import Support

extension Reduce: ONNXEmission {
  private static let operators: [Function: String] = [
    .sum: "ReduceSum", .mean: "ReduceMean", .max: "ReduceMax", .min: "ReduceMin", .prod: "ReduceProd",
  ]

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    var types = ONNXEmissionContext.arithmeticTypes
    // All and any are the least and the greatest of 0 and 1.
    types[.bool] = .i32
    return [
      try c.widened(try c.element(0), [try c.input(0)], in: types) { inputs, _ throws(Diagnostic) in
        let place = axes.isEmpty ? [] : [try c.integers(axes)]
        return c.node(
          Reduce.operators[function] ?? "", inputs + place, [ONNXAttribute("keepdims", int: keepDims ? 1 : 0)])
      }
    ]
  }
}

extension Softmax: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [
      try c.widened(try c.element(0), [try c.input(0)]) { inputs, _ throws(Diagnostic) in
        c.node("Softmax", inputs, [ONNXAttribute("axis", int: axis)])
      }
    ]
  }
}

extension LayerNorm: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    try c.emitRows("LayerNormalization", axis: axis, epsilon: epsilon)
  }
}

extension RMSNorm: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    try c.emitRows("RMSNormalization", axis: axis, epsilon: epsilon)
  }
}

extension ONNXEmissionContext {
  /// A normalisation of rows, whose scale the format demands.
  fileprivate func emitRows(_ name: String, axis: Int, epsilon: Double) throws(Diagnostic) -> [String] {
    let type = try type(0)
    let element = try element(type)
    let wide = element == .bf16 ? .f32 : element
    let first = try normalized(axis: axis, rank: type.rank, mnemonic)
    var inputs = [cast(try input(0), element, to: wide)]
    if let scale = try optionalInput(1) {
      inputs.append(cast(scale, element, to: wide))
    } else {
      let row = Array(type.shape[first...])
      inputs.append(try expanded(try number(1, wide), [], to: row))
    }
    if let bias = try optionalInput(2) { inputs.append(cast(bias, element, to: wide)) }
    let result = node(
      name, inputs, [ONNXAttribute("axis", int: first), ONNXAttribute("epsilon", float: Float(epsilon))])
    return [cast(result, wide, to: element)]
  }
}

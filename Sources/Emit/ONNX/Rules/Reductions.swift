import Formats
import IR
import Support

extension Reduce: ONNXEmission {
  private static let operators: [Function: String] = [
    .sum: "ReduceSum", .mean: "ReduceMean", .max: "ReduceMax", .min: "ReduceMin", .prod: "ReduceProd",
  ]

  /// Over a whole image the same has names of its own, which runtimes know better.
  private static let global: [Function: String] = [.mean: "GlobalAveragePool", .max: "GlobalMaxPool"]

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let (element, rank) = (try c.element(0), try c.type(0).rank)
    if let name = Reduce.global[function], element == .f32, (3...5).contains(rank), keepDims, axes == Array(2..<rank) {
      return [c.node(name, [try c.input(0)])]
    }
    var types = ONNXEmissionContext.arithmeticTypes
    if function == .max || function == .min {
      for type: ElementType in [.i8, .u8] { types[type] = nil }
      types[.u32] = .f64
      // All and any are the least and the greatest of 0 and 1.
      types[.bool] = .u8
    }
    return [
      try c.widened(element, [try c.input(0)], in: types) { inputs, type throws(Diagnostic) in
        let place = axes.isEmpty ? [] : [try c.integers(axes)]
        let attributes = [ONNXAttribute("keepdims", int: keepDims ? 1 : 0)]
        let result = c.node(Reduce.operators[function] ?? "", inputs + place, attributes)
        guard type != element, function == .max || function == .min, element.isInteger, let range = element.integerRange
        else { return result }
        // Of no elements it is the end of the wider type.
        let ends = [try c.number(Double(range.lowerBound), type), try c.number(Double(range.upperBound), type)]
        return try mayBeEmpty(c) ? c.node("Clip", [result] + ends) : result
      }
    ]
  }

  private func mayBeEmpty(_ c: ONNXEmissionContext) throws(Diagnostic) -> Bool {
    try c.type(0).shape.contains { $0.bounds(c.writer.symbolRanges).lowerBound <= 0 }
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

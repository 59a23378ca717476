import IR
import Support

extension ONNXMapping {
  /// Operator sets 1 to 6, where they differ from later ones in the same way: operands broadcast by attributes, and
  /// nodes could say which inputs they overwrite, which nobody needs to know.
  static let earlyVersions: [ONNXMapping] =
    [binary, power, logic, comparison, parametricRelu].map(broadcastByAttributes) + [
      earlyGemm, earlyBatchNormalization,
    ]
    + [variadic, mean, functions, absolute, reciprocal, elu, selu, leakyRelu, hardSigmoid].map(overwriting)

  private static let overwritten = "consumed_inputs"

  private static func overwriting(_ mapping: ONNXMapping) -> ONNXMapping {
    ONNXMapping(
      mapping.operators, 1...5, inputs: mapping.inputs, attributes: mapping.attributes + [overwritten], map: mapping.map
    )
  }

  private static func broadcastByAttributes(_ mapping: ONNXMapping) -> ONNXMapping {
    ONNXMapping(
      mapping.operators, 1...6, inputs: mapping.inputs,
      attributes: mapping.attributes + ["axis", "broadcast", overwritten]
    ) { c throws(Diagnostic) in try mapping.map(try c.aligned()) }
  }

  /// That C broadcasts needed saying.
  private static let earlyGemm = ONNXMapping(
    gemm.operators, 1...6, inputs: 3...3, attributes: gemm.attributes + ["broadcast"], map: gemm.map)

  private static let earlyBatchNormalization = ONNXMapping(
    batchNormalization.operators, 1...6, inputs: 5...5,
    attributes: ["epsilon", "momentum", "spatial", "is_test", overwritten]
  ) { c throws(Diagnostic) in
    guard try c.flag("is_test", default: false) else { throw .unsupported("training mode is not supported") }
    return try batchNormalization.map(c)
  }
}

extension ONNXNodeContext {
  /// The same node with its second operand as later versions broadcast it: axes of one element behind those that it
  /// shares with the first, which begin at `axis`. Without `axis` they are the last ones, which is what later versions
  /// do; only PRelu's slopes belong to channels.
  fileprivate func aligned() throws(Diagnostic) -> ONNXNodeContext {
    let (a, b) = (try input(0), try input(1))
    let (rank, shape) = (try rank(a), try self.shape(b))
    var axis = try int("axis")
    if node.operatorType == "PRelu", shape.count == 1, shape[0].constant != 1, rank > 1 { axis = 1 }
    guard let axis, !shape.isEmpty else { return self }
    let first = try self.axis(axis, rank: rank)
    guard first + shape.count <= rank else {
      throw .invalid("\(try type(b)) does not fit into \(try type(a)) from axis \(first) on")
    }
    let behind = [Dim](repeating: 1, count: rank - first - shape.count)
    var operands = operands
    operands[1] = try reshape(b, shape + behind)
    return ONNXNodeContext(importer: importer, node: node, version: version, operands: operands)
  }
}

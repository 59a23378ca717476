import Support

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias`, where the axes from `axis` on make up the rows whose mean and
/// variance count.
///
///     %0: f32[8, 128, 768]
///     %1: f32[768]
///     %2: f32[768]
///     %3 = layer_norm %0, %1, %2 {epsilon = 1e-05} : f32[8, 128, 768]
///
/// `scale` and `bias` stretch to a row; without them the factor is 1 and the addend 0. The variance is the mean of the
/// squared distances. A row without elements has no mean, and none is needed.
public struct LayerNorm: OpKind {
  public static let mnemonics = ["layer_norm"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("scale", .float, .optional), OperandSpec("bias", .float, .optional),
  ]

  /// Negative axes count from the end.
  public var axis = -1
  public var epsilon = 0.0

  public init(mnemonic: String) {}
  public init(axis: Int = -1, epsilon: Double) {
    self.axis = axis
    self.epsilon = epsilon
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.float("epsilon", &epsilon)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    [ValueFact(try normalizedRows(inputs, axis: axis, epsilon: epsilon, &context, "layer_norm"))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    try normalizeRows(inputs, axis: axis, "layer_norm") { row in
      let count = Double(row.count)
      let mean = row.reduce(0, +) / count
      var squares = 0.0
      for value in row { squares += (value - mean) * (value - mean) }
      let factor = 1 / (squares / count + epsilon).squareRoot()
      for i in row.indices { row[i] = (row[i] - mean) * factor }
    }
  }
}

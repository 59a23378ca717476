import Support

/// `x / sqrt(mean of squares + epsilon) * scale`, where the axes from `axis` on make up the rows whose squares count.
///
///     %0: f32[n, 2048]
///     %1: f32[2048]
///     %2 = rms_norm %0, %1 {epsilon = 1e-06} : f32[n, 2048]
///
/// `scale` stretches to a row; without it the factor is 1.
public struct RMSNorm: OpKind {
  public static let mnemonics = ["rms_norm"]
  public static let operands = [OperandSpec("x", .float), OperandSpec("scale", .float, .optional)]

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
    [ValueFact(try normalizedRows(inputs, axis: axis, epsilon: epsilon, &context, "rms_norm"))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    try normalizeRows(inputs, axis: axis, "rms_norm") { row in
      var squares = 0.0
      for value in row { squares += value * value }
      let factor = 1 / (squares / Double(row.count) + epsilon).squareRoot()
      for i in row.indices { row[i] *= factor }
    }
  }
}

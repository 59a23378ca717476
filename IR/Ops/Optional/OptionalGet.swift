import Support

/// A value that may be absent, as one that is there; fails where it is not.
///
///     %0: optional<f32[4]>
///     %1 = optional_get %0 : f32[4]
///
/// Where its type leaves extents open, `shape` names what they are: symbols that get their values here, or expressions
/// that the extents must equal.
public struct OptionalGet: OpKind {
  public static let mnemonics = ["optional_get"]
  public static let operands = [OperandSpec("value", .any)]

  public var shape: [Dim] = []

  public init(mnemonic: String) {}
  public init(shape: [Dim] = []) { self.shape = shape }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dims("shape", &shape)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard case .optional(let element) = inputs[0].type else {
      throw .invalid("optional_get: the operand is \(inputs[0].type), expected one that may be absent")
    }
    return [ValueFact(try takenOut(element, shape, "optional_get"))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard case .optional(let value) = inputs[0] else { throw .bug("optional_get: the operand is always there") }
    guard let value else { throw .invalid("optional_get: the value is absent") }
    return [value]
  }
}

import Support

/// A sequence of its operands, which have one type, but for extents that are symbols of their own in `element`; with
/// none, `element` says which type.
///
///     %0: f32[4]
///     %1: f32[4]
///     %2 = sequence_make %0, %1 : seq<f32[4]>
public struct SequenceMake: OpKind {
  public static let mnemonics = ["sequence_make"]
  public static let operands = [OperandSpec("elements", .any, .many)]

  public var element: ValueType?

  public init(mnemonic: String) {}
  public init(element: ValueType? = nil) { self.element = element }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.type("element", &element)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard let type = element ?? inputs.first?.type else {
      throw .invalid("sequence_make: an empty sequence takes an element type")
    }
    for input in inputs where input.type != type && (element == nil || !type.admits(input.type)) {
      throw .invalid("sequence_make: an operand is \(input.type), expected \(type)")
    }
    return [ValueFact(.sequence(type))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    [.sequence(inputs)]
  }
}

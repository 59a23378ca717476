import Support

/// Its operand as a value that may be absent; without one, the absent value of type `element`.
///
///     %0: f32[4]
///     %1 = optional_make %0 : optional<f32[4]>
///     %2 = optional_make _ {element = f32[4]} : optional<f32[4]>
public struct OptionalMake: OpKind {
  public static let mnemonics = ["optional_make"]
  public static let operands = [OperandSpec("value", .any, .optional)]

  public var element: ValueType?

  public init(mnemonic: String) {}
  public init(element: ValueType? = nil) { self.element = element }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.type("element", &element)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let given = inputs.present(0)?.type
    guard let type = element ?? given else {
      throw .invalid("optional_make: an absent value takes an element type")
    }
    if let given, !type.admits(given) { throw .invalid("optional_make: the operand is \(given), expected \(type)") }
    if case .optional = type { throw .invalid("optional_make: \(type) may be absent already") }
    return [ValueFact(.optional(type))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    [.optional(inputs.first { !$0.isAbsent })]
  }
}

import Support

/// The same sequence or optional value under a type that says less of its members.
///
///     %0: seq<f32[4]>
///     %1 = widen %0 {to = seq<f32[*]>} : seq<f32[*]>
public struct Widen: OpKind {
  public static let mnemonics = ["widen"]
  public static let operands = [OperandSpec("value", .any)]

  public var to: ValueType?

  public init(mnemonic: String) {}
  public init(to: ValueType) { self.to = to }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.type("to", &to)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard let to, to.member != nil, to.admits(inputs[0].type) else {
      throw .invalid("widen: \(inputs[0].type) is no \(to?.description ?? "type that is not given")")
    }
    return [ValueFact(to)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] { [inputs[0]] }
}

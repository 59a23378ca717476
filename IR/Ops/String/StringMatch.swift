import Support

/// Whether each string as a whole is what a regular expression describes.
///
///     %0: str[8]
///     %1 = string_match %0 {pattern = "[a-z]+(, [a-z]+)*"} : bool[8]
///
/// The syntax is RE2's, without names of scripts; see `RegularExpression`.
public struct StringMatch: OpKind {
  public static let mnemonics = ["string_match"]
  public static let operands = [OperandSpec("x", .string)]

  public var pattern = ""

  public init(mnemonic: String) {}
  public init(pattern: String) { self.pattern = pattern }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.string("pattern", &pattern)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    _ = try RegularExpression(pattern)
    return [ValueFact(.bool, try inputs[0].dense("string_match").shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let expression = try RegularExpression(pattern)
    return [.tensor(Tensor(.bool, x.shape, integers: x.strings.map { expression.matches($0) ? 1 : 0 }))]
  }
}

import Support

/// Whether each text as a whole matches a regular expression in the syntax of RE2.
///
///     %0: str[4]
///     %1 = string_match %0 {pattern = "[a-z]+@(one|two)\\.org"} : bool[4]
///
/// Bytes that are no UTF-8 match nothing.
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
    let type = try inputs[0].dense("string_match")
    _ = try automaton()
    return [ValueFact(.bool, type.shape)]
  }

  public func automaton() throws(Diagnostic) -> PatternAutomaton {
    do throws(Diagnostic) { return try PatternAutomaton(try Pattern(pattern)) } catch {
      throw Diagnostic(error.kind, "string_match: \(error.message)", at: error.location, hint: error.hint)
    }
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let automaton = try automaton()
    return [.tensor(Tensor(.bool, x.shape, integers: x.strings.map { automaton.matches($0) ? 1 : 0 }))]
  }
}

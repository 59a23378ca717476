import Support

/// Each text of `a` with that of `b` behind it, with broadcasting.
///
///     %0: str[2, 3]
///     %1: str[3]
///     %2 = string_concat %0, %1 : str[2, 3]
public struct StringConcat: OpKind {
  public static let mnemonics = ["string_concat"]
  public static let operands = [OperandSpec("a", .string), OperandSpec("b", .string)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let a = try inputs[0].dense("string_concat")
    let b = try inputs[1].dense("string_concat")
    return [ValueFact(.string, try context.broadcast(a.shape, b.shape, "string_concat"))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let a = try inputs[0].expectTensor()
    let b = try inputs[1].expectTensor()
    let shape = try broadcastShape(a.shape, b.shape, "string_concat")
    let x = stridedPositions(shape, strides: broadcastStrides(a.shape, to: shape))
    let y = stridedPositions(shape, strides: broadcastStrides(b.shape, to: shape))
    return [.tensor(Tensor(strings: x.indices.map { a.strings[x[$0]] + b.strings[y[$0]] }, shape: shape))]
  }
}

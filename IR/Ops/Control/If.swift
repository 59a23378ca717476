import Support

/// Runs one of two regions and gives what it yields.
///
///     %0: bool[]
///     %1: f32[4]
///     %2 = if %0 then {
///       %3 = exp %1 : f32[4]
///       yield %3
///     } else {
///       yield %1
///     } : f32[4]
public struct If: OpKind {
  public static let mnemonics = ["if"]
  public static let operands = [OperandSpec("condition", .bool)]
  public static let regions = ["then", "else"]
  public static var resultCount: Int? { nil }

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let condition = try inputs[0].dense("if")
    guard condition == TensorType(.bool, []) else {
      throw .invalid("if: the condition is \(condition), expected bool[]")
    }
    guard regions.allSatisfy({ $0.arguments.isEmpty }) else { throw .invalid("if: its regions take no arguments") }
    let (then, other) = (regions[0].results, regions[1].results)
    guard then.map(\.type) == other.map(\.type) else {
      throw .invalid("if: the regions yield \(then.map(\.type)) and \(other.map(\.type))")
    }
    if let known = inputs[0].knownIntegers?.first { return known != 0 ? then : other }
    return zip(then, other).map { $0 == $1 ? $0 : ValueFact($0.type) }
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let holds = try inputs[0].expectTensor().integers().first ?? 0
    return try call.run(region: holds != 0 ? 0 : 1, [])
  }
}

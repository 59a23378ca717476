import Support

/// Ops that run as one kernel: the region holds ordinary ops over whole tensors, the role says what kind of kernel.
///
///     %0: f32[4, 8]
///     %1: f32[8]
///     %2 = fusion %0, %1 {role = map} body(%3: f32[4, 8], %4: f32[8]) {
///       %5 = add %3, %4 : f32[4, 8]
///       %6 = relu %5 : f32[4, 8]
///       yield %6
///     } : f32[4, 8]
public struct Fusion: OpKind {
  /// The loop skeleton that the generator starts from.
  public enum Role: String, CaseIterable, Sendable {
    case map, contraction, reduction, window, row, movement, attention
  }

  public static let mnemonics = ["fusion"]
  public static let operands = [OperandSpec("inputs", .any, .many)]
  public static let regions = ["body"]
  public static var resultCount: Int? { nil }

  public var role = Role.map

  public init(mnemonic: String) {}
  public init(_ role: Role) { self.role = role }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("role", &role)
  }

  public func regionArguments(
    _ inputs: [ValueFact], region: Int, in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] { inputs }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard regions[0].arguments.map(\.type) == inputs.map(\.type) else {
      throw .invalid(
        "fusion: the body takes \(regions[0].arguments.map(\.type)), the operands are \(inputs.map(\.type))")
    }
    // An argument may know less than its operand, never anything else.
    for (argument, input) in zip(regions[0].arguments, inputs) {
      guard argument.elements == nil || argument.elements == input.elements else {
        throw .invalid("fusion: the body assumes elements that its operand \(input.type) need not have")
      }
    }
    return regions[0].results
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    try call.run(region: 0, inputs)
  }
}

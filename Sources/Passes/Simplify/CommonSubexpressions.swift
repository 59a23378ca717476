import IR
import Support

/// Computes equal things once: the same op on the same operands where the earlier result is visible.
///
///     %1 = exp %x      : f32[4]
///     %2 = exp %x      : f32[4]
///     %3 = add %1, %2  : f32[4]
///
/// becomes
///
///     %1 = exp %x      : f32[4]
///     %2 = add %1, %1  : f32[4]
///
/// The table is scoped by region: what one branch computed is unknown to the other.
/// Reads of a state are equal only while nothing may have updated it in between.
public let commonSubexpressions = GraphPass(
  "common-subexpressions", .exact, "computes equal ops on equal operands once"
) { context throws(Diagnostic) in
  try context.forEachFunction { context throws(Diagnostic) in
    var table = ExpressionTable()
    try table.visit(context.function.body, &context)
  }
}

/// What makes two ops equal.
private struct Expression: Hashable {
  var kind: OpKey
  var operands: [ValueID?]
  var types: [ValueType]
  /// Which version of the state it reads.
  var epoch: Int
}

private struct ExpressionTable {
  private var known: [Expression: OpID] = [:]
  private var epochs: [String: Int] = [:]
  private var lastEpoch = 0

  mutating func visit(_ block: BlockID, _ context: inout PassContext) throws(Diagnostic) {
    var added: [Expression] = []
    for op in context.function.ops(in: block) {
      let operation = context.function[op]
      if !operation.regions.isEmpty {
        // A loop's body runs again after its own updates, so its reads start afresh.
        let written = Self.statesWritten(in: op, context.function)
        for state in written { advance(state) }
        for region in operation.regions {
          try visit(region, &context)
          for state in written { advance(state) }
        }
        continue
      }
      if let state = operation.kind.effects.writesState {
        advance(state)
        continue
      }
      let expression = Expression(
        kind: operation.kind.key, operands: Self.ordered(operation),
        types: operation.results.map { context.function.type($0) },
        epoch: operation.kind.effects.readsState.map { epochs[$0, default: 0] } ?? 0)
      if let earlier = known[expression] {
        guard context.permit("same-as-earlier", at: op) else { continue }
        try context.replace(op, with: context.function[earlier].results, merging: true)
      } else {
        known[expression] = op
        added.append(expression)
      }
    }
    for expression in added { known[expression] = nil }
  }

  private mutating func advance(_ state: String) {
    lastEpoch += 1
    epochs[state] = lastEpoch
  }

  /// Ops whose two operands may swap without changing a bit of the result.
  private static let commutative: Set<String> = ["add", "mul", "and", "or", "xor", "equal", "not_equal"]

  private static func ordered(_ operation: Operation) -> [ValueID?] {
    guard commutative.contains(operation.kind.mnemonic), operation.operands.count == 2,
      let a = operation.operands[0], let b = operation.operands[1], b < a
    else { return operation.operands }
    return [b, a]
  }

  private static func statesWritten(in op: OpID, _ function: Function) -> Set<String> {
    var result: Set<String> = []
    var pending = [op]
    while let next = pending.popLast() {
      if let state = function[next].kind.effects.writesState { result.insert(state) }
      for region in function[next].regions { pending.append(contentsOf: function.ops(in: region)) }
    }
    return result
  }
}

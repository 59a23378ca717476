import IR
import Support

/// `select` with one constant answer, or with the same value on both sides.
let constantSelect = RewritePattern.forwarding("constant-select", roots: ["select"]) { op, context in
  guard let condition = context.operand(op, 0), let a = context.operand(op, 1), let b = context.operand(op, 2) else {
    return nil
  }
  if a == b { return a }
  guard let answer = uniformAnswer(condition, context) else { return nil }
  return answer ? a : b
}

/// `if` with a known condition is its branch. The condition may be a constant or follow from what is known of shapes.
let resolvedIf = RewritePattern("resolved-if", roots: ["if"]) { op, context throws(Diagnostic) in
  guard let condition = context.operand(op, 0) else { return false }
  guard let answer = uniformAnswer(condition, context) else { return false }
  let operation = context.function[op]
  let region = operation.regions[answer ? 0 : 1]
  let yields = context.function[region].yields.map { context.function.type($0) }
  guard yields == operation.results.map({ context.function.type($0) }) else {
    context.missed("resolved-if", at: op, "the branch yields \(yields), typed otherwise by the if")
    return false
  }
  guard context.permit("resolved-if", at: op) else { return false }
  try context.inline(region, of: op, arguments: [])
  return true
}

/// The answer all elements of a condition agree on, when it is known.
private func uniformAnswer(_ condition: ValueID, _ context: PassContext) -> Bool? {
  let known =
    context.function[condition].fact.knownIntegers
    ?? context.constant(condition).flatMap { $0.count <= 4096 ? $0.integers() : nil }
  guard let known, let first = known.first, known.allSatisfy({ ($0 != 0) == (first != 0) }) else { return nil }
  return first != 0
}

import IR
import Support

/// An element of a sequence whose making is in sight: `sequence_at (sequence_make %a, %b), 1` is `%b`.
let resolvedSequenceAt = RewritePattern.forwarding("resolved-sequence-at", roots: ["sequence_at"]) { op, context in
  guard let index = context.operand(op, 1), let list = context.producer(of: context.operand(op, 0), SequenceMake.self)
  else { return nil }
  let elements = context.function[list.op].operands
  guard let place = context.constant(index)?.integers().first ?? context.function[index].fact.knownIntegers?.first,
    place >= -elements.count, place < elements.count
  else { return nil }
  return elements[place < 0 ? place + elements.count : place]
}

/// `sequence_length` of a sequence whose making is in sight, and `optional_has` of such a value, are constants.
let resolvedContainer = RewritePattern("resolved-container", roots: ["sequence_length", "optional_has"]) {
  op, context throws(Diagnostic) in
  let operand = context.operand(op, 0)
  let answer: Tensor
  if let list = context.producer(of: operand, SequenceMake.self) {
    answer = .scalar(context.function[list.op].operands.count)
  } else if let made = context.producer(of: operand, OptionalMake.self) {
    answer = .scalar(context.operand(made.op, 0) == nil ? 0 : 1, .bool)
  } else {
    return false
  }
  guard context.permit("resolved-container", at: op) else { return false }
  try context.replace(op, with: try context.insert(Constant(answer), [], before: op))
  return true
}

/// `optional_get (optional_make %a)` is `%a`.
let resolvedOptionalGet = RewritePattern.forwarding("resolved-optional-get", roots: ["optional_get"]) { op, context in
  context.producer(of: context.operand(op, 0), OptionalMake.self).flatMap { context.operand($0.op, 0) }
}

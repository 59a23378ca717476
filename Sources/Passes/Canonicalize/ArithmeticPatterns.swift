import IR
import Support

/// Constants stand on the right of commutative ops, so that later patterns look in one place.
let constantToTheRight = RewritePattern.rebuilding(
  "constant-to-the-right", roots: ["add", "mul", "and", "or", "xor", "equal", "not_equal"]
) { op, context in
  guard let a = context.operand(op, 0), let b = context.operand(op, 1), context.constant(a) != nil,
    context.constant(b) == nil
  else { return nil }
  return .init(kind: context.function[op].kind, operands: [b, a])
}

/// Neutral right operands. `x + 0.0` is not among them: it turns -0.0 into 0.0, while `x + -0.0` and `x - 0.0` keep it.
let neutralOperand = RewritePattern.forwarding(
  "neutral-operand", roots: ["add", "sub", "mul", "div", "or", "xor", "shift_left", "shift_right"]
) { op, context in
  guard let a = context.operand(op, 0), let b = context.operand(op, 1), context.constant(b) != nil else { return nil }
  let isInteger = context.isInteger(a)
  let isNeutral =
    switch context.function[op].kind.mnemonic {
    case "add": isInteger ? context.isSplat(b, 0) : context.isSplat(b, -0.0)
    case "sub", "or", "xor", "shift_left", "shift_right": context.isSplat(b, 0)
    case "mul", "div": context.isSplat(b, 1)
    default: false
    }
  return isNeutral ? a : nil
}

/// `maximum x, x`, `minimum x, x`, `and x, x` and `or x, x` are `x`.
let sameOperands = RewritePattern.forwarding("same-operands", roots: ["maximum", "minimum", "and", "or"]) {
  op, context in
  guard let a = context.operand(op, 0), a == context.operand(op, 1) else { return nil }
  return a
}

/// `maximum (maximum x, y), y` is `maximum x, y`; likewise `minimum`.
let repeatedBound = RewritePattern.forwarding("repeated-bound", roots: ["maximum", "minimum"]) { op, context in
  guard let kind = context.kind(op, Binary.self), let a = context.operand(op, 0), let b = context.operand(op, 1),
    let inner = context.producer(of: a, Binary.self), inner.kind.function == kind.function,
    context.function[inner.op].operands.contains(b)
  else { return nil }
  return a
}

/// `neg (neg x)`, `not (not x)` and `bit_not (bit_not x)` are `x`.
let doubleNegation = RewritePattern.forwarding("double-negation", roots: ["neg", "not", "bit_not"]) { op, context in
  guard let outer = context.kind(op, Unary.self),
    let inner = context.producer(of: context.operand(op, 0), Unary.self), inner.kind.function == outer.function
  else { return nil }
  return context.operand(inner.op, 0)
}

/// What these functions made they leave as it is: `relu (relu x)` is `relu x`.
let idempotentFunction = RewritePattern.forwarding(
  "idempotent-function", roots: ["relu", "abs", "floor", "ceil", "round", "sign"]
) { op, context in
  guard let outer = context.kind(op, Unary.self), let between = context.operand(op, 0),
    let inner = context.producer(of: between, Unary.self), inner.kind.function == outer.function
  else { return nil }
  return between
}

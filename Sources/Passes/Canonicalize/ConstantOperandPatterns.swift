import IR
import Support

// What one constant operand allows.

/// `pow x, 2` is `mul x, x`: the product of two floats of 24 bits is exact before it is rounded.
let squareIsProduct = RewritePattern.rebuilding("square-is-product", roots: ["pow"]) { op, context in
  guard let x = context.operand(op, 0), let exponent = context.operand(op, 1), context.splat(exponent) == 2,
    [.f16, .bf16, .f32].contains(context.function.tensorType(x)?.plain)
  else { return nil }
  return .init(kind: Binary(.mul), operands: [x, x])
}

/// Division by a power of two is multiplication, exactly.
let divisionByPowerOfTwo = RewritePattern("division-by-power-of-two", roots: ["div"]) {
  op, context throws(Diagnostic) in
  guard let x = context.operand(op, 0), let divisor = context.operand(op, 1), let tensor = context.constant(divisor),
    let number = context.splat(divisor), let element = tensor.storage, number.isNormal, number != 1
  else { return false }
  guard number.magnitude.significand == 1, exponents(element)?.contains(Int(number.exponent)) ?? false else {
    context.missed("division-by-power-of-two", at: op, "\(number) is no power of two whose inverse is exact")
    return false
  }
  guard tensor.count <= 64, context.permit("division-by-power-of-two", at: op) else { return false }
  let inverse = Tensor(element, tensor.shape, doubles: Array(repeating: 1 / number, count: tensor.count))
  let factor = try context.insert(inverse, before: op)
  let result = try context.insert(Binary(.mul), [x, factor], before: op)
  try context.replace(op, with: result)
  return true
}

/// Exponents that normal numbers and their inverses have.
private func exponents(_ element: ElementType) -> ClosedRange<Int>? {
  switch element {
  case .f16: -14...14
  case .bf16, .f32: -126...126
  case .f64: -1022...1022
  default: nil
  }
}

/// `minimum (minimum x, 6), 4` is `minimum x, 4`; likewise `maximum`.
let tighterBound = RewritePattern.rebuilding("tighter-bound", roots: ["minimum", "maximum"]) { op, context in
  guard let outer = context.kind(op, Binary.self), let between = context.operand(op, 0),
    let bound = context.operand(op, 1), let number = context.splat(bound),
    let inner = context.producer(of: between, Binary.self), inner.kind.function == outer.function,
    let x = context.operand(inner.op, 0), let other = context.operand(inner.op, 1), let first = context.splat(other),
    outer.function == .minimum ? number < first : number > first
  else { return nil }
  return .init(kind: outer, operands: [x, bound], absorbed: [inner.op])
}

/// `minimum (minimum x, 4), 6` is `minimum x, 4`; likewise `maximum`.
let looserBound = RewritePattern.forwarding("looser-bound", roots: ["minimum", "maximum"]) { op, context in
  guard let outer = context.kind(op, Binary.self), let between = context.operand(op, 0),
    let number = context.operand(op, 1).flatMap({ context.splat($0) }),
    let inner = context.producer(of: between, Binary.self), inner.kind.function == outer.function,
    let first = context.operand(inner.op, 1).flatMap({ context.splat($0) }),
    outer.function == .minimum ? first < number : first > number
  else { return nil }
  return between
}

/// `mul x, -1` is `neg x`.
let productWithMinusOne = RewritePattern.rebuilding("product-with-minus-one", roots: ["mul"]) { op, context in
  guard let x = context.operand(op, 0), let factor = context.operand(op, 1), context.isSplat(factor, -1) else {
    return nil
  }
  return .init(kind: Unary(.neg), operands: [x])
}

/// `add x, (neg y)` is `sub x, y`, and `sub x, (neg y)` is `add x, y`.
let negatedOperand = RewritePattern.rebuilding("negated-operand", roots: ["add", "sub"]) { op, context in
  guard let outer = context.kind(op, Binary.self) else { return nil }
  for (x, other) in outer.function == .add ? context.pairs(op) : Array(context.pairs(op).prefix(1)) {
    guard let minus = context.producer(of: other, Unary.self), minus.kind.function == .neg,
      let y = context.operand(minus.op, 0)
    else { continue }
    return .init(kind: Binary(outer.function == .add ? .sub : .add), operands: [x, y], absorbed: [minus.op])
  }
  return nil
}

/// `select (not c), a, b` is `select c, b, a`.
let selectOfNot = RewritePattern.rebuilding("select-of-not", roots: ["select"]) { op, context in
  let operands = context.function[op].operands
  guard operands.count == 3, let negation = context.producer(of: operands[0], Unary.self),
    negation.kind.function == .not
  else { return nil }
  return .init(kind: Select(), operands: [context.operand(negation.op, 0), operands[2], operands[1]])
}

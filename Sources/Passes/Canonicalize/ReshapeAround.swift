import IR
import Support

// Reshapes before and behind an op that undo each other go, where the op does not care.

/// `reshape (matmul (reshape x), w)` is `matmul x, w` where the reshapes only join the axes before the last one.
let reshapeAroundMatMul = RewritePattern.rebuildingTold("reshape-around-matmul", roots: ["reshape"]) { op, context in
  guard let value = context.operand(op, 0), let product = context.producer(of: value, MatMul.self),
    !product.kind.transposeLHS, let weights = context.operand(product.op, 1), context.shape(weights)?.count == 2,
    let rows = context.operand(product.op, 0), let inner = context.producer(of: rows, Reshape.self),
    let x = context.operand(inner.op, 0), let shape = context.shape(x), shape.count >= 2,
    let flat = context.shape(rows), flat.count == 2, flat[1] == shape[shape.count - 1],
    let result = context.shape(context.function[op].results[0]), let columns = context.shape(value)?.last,
    result == Array(shape.dropLast()) + [columns]
  else { return nil }
  if let bias = context.operand(product.op, 2), (context.shape(bias)?.count ?? 2) > 1 {
    context.missed("reshape-around-matmul", at: op, "the bias has rows")
    return nil
  }
  guard context.useCount(value) == 1 else {
    context.missed("reshape-around-matmul", at: op, "the product", usesOf: value)
    return nil
  }
  var operands = context.function[product.op].operands
  operands[0] = x
  return .init(kind: product.kind, operands: operands, absorbed: [product.op])
}

/// `reshape (f (reshape x))` with the shape of `x` is `f x` for a function of elements, and for `softmax` along the
/// last axis, if that stays.
let reshapeAroundFunction = RewritePattern.rebuildingTold("reshape-around-function", roots: ["reshape"]) {
  op, context in
  guard let value = context.operand(op, 0), let function = context.function.definingOp(value),
    case let operation = context.function[function], let flat = operation.operands.first ?? nil,
    let inner = context.producer(of: flat, Reshape.self), let x = context.operand(inner.op, 0),
    let shape = context.shape(x), shape == context.shape(context.function[op].results[0])
  else { return nil }
  var kind = operation.kind
  switch kind {
  case is Unary, is Cast: break
  case is Binary:
    // The other operand must be one number.
    guard operation.operands.count == 2, let other = operation.operands[1], context.shape(other) == [] else {
      return nil
    }
  case let softmax as Softmax:
    guard let rank = context.shape(value)?.count, softmax.axis == -1 || softmax.axis == rank - 1,
      let last = context.shape(flat)?.last, last == shape.last
    else {
      context.missed("reshape-around-function", at: op, "the axis of softmax is cut or joined")
      return nil
    }
    kind = Softmax(axis: shape.count - 1)
  default: return nil
  }
  guard context.useCount(value) == 1 else {
    context.missed("reshape-around-function", at: op, "the result of \(kind.mnemonic) has other uses")
    return nil
  }
  return .init(kind: kind, operands: [x] + operation.operands.dropFirst(), absorbed: [function])
}

/// A broadcast that only adds axes of extent 1 in front is a reshape.
let unitBroadcastIsReshape = RewritePattern.rebuilding("unit-broadcast-is-reshape", roots: ["broadcast"]) {
  op, context in
  guard let x = context.operand(op, 0), let type = context.function.tensorType(x), type.layout == nil,
    case .plain = type.element, let wide = context.shape(context.function[op].results[0]),
    wide.count > type.shape.count, Array(wide.suffix(type.shape.count)) == type.shape,
    wide.dropLast(type.shape.count).allSatisfy({ $0 == 1 })
  else { return nil }
  return .init(kind: Reshape(shape: wide), operands: [x])
}

/// `reshape (pad x)` that only adds or drops axes of extent 1 is `pad (reshape x)`: so padding meets what it is for.
let reshapeBeforePad = RewritePattern("reshape-before-pad", roots: ["reshape"]) { op, context throws(Diagnostic) in
  guard let value = context.operand(op, 0), let pad = context.producer(of: value, Pad.self),
    let x = context.operand(pad.op, 0), let shape = context.shape(x), let padded = context.shape(value),
    let result = context.shape(context.function[op].results[0])
  else { return false }
  // Axes that are padded, or longer than 1, must come again in this order.
  func counts(_ axis: Int) -> Bool { padded[axis] != 1 || pad.kind.before[axis] != 0 || pad.kind.after[axis] != 0 }
  let kept = padded.indices.filter(counts)
  let places = result.indices.filter { result[$0] != 1 }
  guard kept.map({ padded[$0] }) == places.map({ result[$0] }) else { return false }
  guard context.useCount(value) == 1 else {
    context.missed("reshape-before-pad", at: op, "the padded value", usesOf: value)
    return false
  }
  var moved = Pad(before: result.map { _ in 0 }, after: result.map { _ in 0 }, value: pad.kind.value)
  var extents = result
  for (axis, place) in zip(kept, places) {
    (moved.before[place], moved.after[place]) = (pad.kind.before[axis], pad.kind.after[axis])
    extents[place] = shape[axis]
  }
  guard context.inferred(Reshape(shape: extents), [x]) != nil, context.permit("reshape-before-pad", at: op) else {
    return false
  }
  let reshaped = try context.insert(Reshape(shape: extents), [x], before: op)
  let outcome = try context.insert(
    moved, reshaped, locations: context.locations(of: [pad.op, op]), at: .before(op))
  try context.replace(op, with: outcome)
  return true
}

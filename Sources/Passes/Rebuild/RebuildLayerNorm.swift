import IR
import Support

/// Rebuilds layer and root-mean-square normalisation where a model spells them out.
///
///     %1 = reduce_mean %x {axes = [1], keep_dims = true} : f32[n, 1]
///     %2 = sub %x, %1                                    : f32[n, 768]
///     %3 = mul %2, %2                                    : f32[n, 768]
///     %4 = reduce_mean %3 {axes = [1], keep_dims = true} : f32[n, 1]
///     %5 = add %4, @epsilon                              : f32[n, 1]
///     %6 = sqrt %5                                       : f32[n, 1]
///     %7 = div %2, %6                                    : f32[n, 768]
///     %8 = mul %7, @scale                                : f32[n, 768]
///     %9 = add %8, @bias                                 : f32[n, 768]
///
/// becomes
///
///     %1 = layer_norm %x, @scale, @bias {epsilon = 1e-05} : f32[n, 768]
///
/// The quotient is rebuilt first; a factor and an addend that stretch to a row follow, each for itself. Then casts
/// around a norm go: it computes in f32 anyway. `x * m + (bias - mean * m)`, with `m` the factor over the root, is the
/// same norm, written for fewer passes over `x`.
public let rebuildLayerNorm = GraphPass(
  "rebuild-layer-norm", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)),
  "rebuilds normalisations of rows that are spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([quotientToNorm, shiftToNorm, factorIntoNorm, addendIntoNorm, castsAroundNorm])
}

/// `d / sqrt(mean(d * d) + epsilon)`, or the same with a reciprocal root.
private let quotientToNorm = RewritePattern.rebuildingTold("quotient-to-norm", roots: ["div", "mul"]) { op, context in
  guard let kind = context.kind(op, Binary.self), let a = context.operand(op, 0), let b = context.operand(op, 1) else {
    return nil
  }
  if kind.function == .div {
    return SpelledDeviation(root: b, context).flatMap { norm(of: a, $0, op, &context) }
  }
  for (value, factor) in [(a, b), (b, a)] {
    guard let deviation = SpelledDeviation(inverse: factor, context) else { continue }
    if let found = norm(of: value, deviation, op, &context) { return found }
  }
  return nil
}

/// The normalisation that divides `value` by a root.
private func norm(
  of value: ValueID, _ deviation: SpelledDeviation, _ op: OpID, _ context: inout PassContext
) -> RewritePattern.Replacement? {
  guard deviation.base == value else { return nil }
  guard let axis = deviation.rowAxis else {
    context.missed("quotient-to-norm", at: op, "the mean runs along axes \(deviation.axes), which are not the last")
    return nil
  }
  if let center = SpelledCenter(value, context), center.axes == deviation.axes {
    return .init(
      kind: LayerNorm(axis: axis, epsilon: deviation.epsilon), operands: [center.x],
      absorbed: center.ops + deviation.ops)
  }
  return .init(kind: RMSNorm(axis: axis, epsilon: deviation.epsilon), operands: [value], absorbed: deviation.ops)
}

/// `x * m + (bias - mean(x) * m)` with `m = scale / sqrt(variance + epsilon)`.
private let shiftToNorm = RewritePattern.rebuildingTold("shift-to-norm", roots: ["add"]) { op, context in
  guard let a = context.operand(op, 0), let b = context.operand(op, 1) else { return nil }
  for (scaled, shift) in [(a, b), (b, a)] {
    guard let product = context.producer(of: scaled, Binary.self), product.kind.function == .mul,
      let difference = context.producer(of: shift, Binary.self), difference.kind.function == .sub,
      let bias = context.operand(difference.op, 0),
      let moved = context.producer(of: context.operand(difference.op, 1), Binary.self), moved.kind.function == .mul
    else { continue }
    for (x, factor) in context.pairs(product.op) {
      for (mean, same) in context.pairs(moved.op) where same == factor {
        guard let average = SpelledMean(mean, context), average.x == x else { continue }
        let ops = average.ops + [product.op, moved.op, difference.op]
        if let found = norm(of: x, average, factor, bias, ops, op, &context) { return found }
      }
    }
  }
  return nil
}

/// The normalisation of `x` whose factor over the root is `factor`.
private func norm(
  of x: ValueID, _ average: SpelledMean, _ factor: ValueID, _ bias: ValueID, _ ops: [OpID], _ op: OpID,
  _ context: inout PassContext
) -> RewritePattern.Replacement? {
  var choices: [(inverse: ValueID, scale: ValueID?, ops: [OpID])] = [(factor, nil, [])]
  if let product = context.producer(of: factor, Binary.self), product.kind.function == .mul {
    for (inverse, scale) in context.pairs(product.op) { choices.append((inverse, scale, [product.op])) }
  }
  for choice in choices {
    guard let deviation = SpelledDeviation(inverse: choice.inverse, context),
      let center = SpelledCenter(deviation.base, context), center.x == x, center.axes == deviation.axes,
      average.axes == deviation.axes
    else { continue }
    guard let axis = deviation.rowAxis else {
      context.missed("shift-to-norm", at: op, "the mean runs along axes \(deviation.axes), which are not the last")
      continue
    }
    let kind = LayerNorm(axis: axis, epsilon: deviation.epsilon)
    let operands = [x, choice.scale, bias]
    guard context.infersWithoutGuards(kind, operands) != nil else {
      context.missed("shift-to-norm", at: op, "the factor or the addend does not stretch to a row")
      continue
    }
    return .init(kind: kind, operands: operands, absorbed: ops + choice.ops + center.ops + deviation.ops)
  }
  return nil
}

/// `norm x * scale` for a norm that has no factors yet.
private let factorIntoNorm = RewritePattern.rebuildingTold("factor-into-norm", roots: ["mul"]) { op, context in
  joined(op, &context, "factor-into-norm", at: 1) { $0.count < 2 || $0[1] == nil }
}

/// `layer_norm x, scale + bias` for one that has no addend yet.
private let addendIntoNorm = RewritePattern.rebuildingTold("addend-into-norm", roots: ["add"]) { op, context in
  joined(op, &context, "addend-into-norm", at: 2) { $0.count < 3 || $0[2] == nil }
}

/// The norm that one operand of `op` is, with the other one as its operand `place`.
private func joined(
  _ op: OpID, _ context: inout PassContext, _ pattern: String, at place: Int, _ isFree: ([ValueID?]) -> Bool
) -> RewritePattern.Replacement? {
  for (value, factor) in context.pairs(op) {
    guard let norm = context.function.definingOp(value),
      context.function[norm].kind is LayerNorm || (place == 1 && context.function[norm].kind is RMSNorm)
    else { continue }
    let operation = context.function[norm]
    // The addend comes behind a factor: with an addend there, it is too late for one.
    guard isFree(operation.operands), operation.operands.count <= 2 || operation.operands[2] == nil else { continue }
    guard context.useCount(value) == 1 else {
      context.missed(pattern, at: op, "the norm", usesOf: value)
      continue
    }
    var operands = operation.operands
    while operands.count <= place { operands.append(nil) }
    operands[place] = factor
    if context.infersWithoutGuards(operation.kind, operands) != nil {
      return .init(kind: operation.kind, operands: operands, absorbed: [norm])
    }
  }
  return nil
}

/// `cast (norm (cast x : f32)) : f16` is `norm x`: a norm computes in f32 and rounds once.
private let castsAroundNorm = RewritePattern("casts-around-norm", roots: ["cast"]) { op, context throws(Diagnostic) in
  guard let outer = context.kind(op, Cast.self), let value = context.operand(op, 0),
    let norm = context.function.definingOp(value), case let operation = context.function[norm],
    operation.kind is LayerNorm || operation.kind is RMSNorm,
    let inner = context.producer(of: operation.operands[0], Cast.self), let x = context.operand(inner.op, 0),
    case .plain(let narrow) = outer.to, narrow == .f16 || narrow == .bf16,
    context.function.tensorType(x)?.plain == narrow, context.function.tensorType(value)?.plain == .f32
  else { return false }
  guard context.useCount(value) == 1 else {
    context.missed("casts-around-norm", at: op, "the norm", usesOf: value)
    return false
  }
  // Factors and addends must be numbers of the narrow type, too.
  var operands: [ValueID?] = [x]
  for number in 1..<max(operation.operands.count, 1) {
    guard let factor = operation.operands[number] else {
      operands.append(nil)
      continue
    }
    if let widened = context.producer(of: factor, Cast.self), let source = context.operand(widened.op, 0),
      context.function.tensorType(source)?.plain == narrow
    {
      operands.append(source)
    } else if let tensor = context.constant(factor), context.isExact(tensor, as: narrow) {
      operands.append(try context.insert(Cast(to: narrow), [factor], before: op)[0])
    } else {
      context.missed("casts-around-norm", at: op, "operand \(number) of the norm is no \(narrow)")
      return false
    }
  }
  guard let facts = context.inferred(operation.kind, operands),
    facts.map(\.type) == [context.function.type(context.function[op].results[0])],
    context.permit("casts-around-norm", at: op)
  else { return false }
  let result = try context.insert(
    operation.kind, operands, locations: context.locations(of: [norm, op]), at: .before(op))
  try context.replace(op, with: result)
  return true
}

extension PassContext {
  /// The operands of a binary op both ways around.
  func pairs(_ op: OpID) -> [(ValueID, ValueID)] {
    guard let a = operand(op, 0), let b = operand(op, 1) else { return [] }
    return [(a, b), (b, a)]
  }

  /// Whether a type holds all numbers of a constant.
  func isExact(_ tensor: Tensor, as type: ElementType) -> Bool {
    guard tensor.storage?.isFloat ?? false, tensor.count <= 1 << 20 else { return false }
    let numbers = tensor.doubles()
    return Tensor(type, tensor.shape, doubles: numbers).doubles() == numbers
  }
}

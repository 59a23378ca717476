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
/// The quotient is rebuilt first; a factor and an addend that stretch to a row follow, each for itself.
public let rebuildLayerNorm = GraphPass(
  "rebuild-layer-norm", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)),
  "rebuilds normalisations of rows that are spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([quotientToNorm, factorIntoNorm, addendIntoNorm])
}

/// `d / sqrt(mean(d * d) + epsilon)`, or the same with a reciprocal root.
private let quotientToNorm = RewritePattern.rebuilding("quotient-to-norm", roots: ["div", "mul"]) { op, context in
  guard let kind = context.kind(op, Binary.self), let a = context.operand(op, 0), let b = context.operand(op, 1) else {
    return nil
  }
  if kind.function == .div {
    guard let root = context.producer(of: b, Unary.self), root.kind.function == .sqrt else { return nil }
    return norm(of: a, root.op, context)
  }
  for (value, factor) in [(a, b), (b, a)] {
    guard let inverse = context.producer(of: factor, Unary.self) else { continue }
    if inverse.kind.function == .rsqrt {
      if let found = norm(of: value, inverse.op, context) { return found }
    } else if inverse.kind.function == .reciprocal,
      let root = context.producer(of: context.operand(inverse.op, 0), Unary.self), root.kind.function == .sqrt,
      let found = norm(of: value, root.op, context)
    {
      return found
    }
  }
  return nil
}

/// The normalisation that divides `value` by the root `op` takes.
private func norm(of value: ValueID, _ op: OpID, _ context: PassContext) -> RewritePattern.Replacement? {
  guard let sum = context.producer(of: context.operand(op, 0), Binary.self), sum.kind.function == .add,
    let epsilon = context.operand(sum.op, 1).flatMap({ splat($0, context) }), epsilon >= 0,
    let mean = context.producer(of: context.operand(sum.op, 0), Reduce.self), mean.kind.function == .mean,
    let axis = rowAxis(mean, context), let squares = context.operand(mean.op, 0), isSquare(squares, of: value, context)
  else { return nil }
  if let center = context.producer(of: value, Binary.self), center.kind.function == .sub,
    let x = context.operand(center.op, 0),
    let average = context.producer(of: context.operand(center.op, 1), Reduce.self), average.kind.function == .mean,
    context.operand(average.op, 0) == x, rowAxis(average, context) == axis
  {
    return .init(
      kind: LayerNorm(axis: axis, epsilon: epsilon), operands: [x],
      absorbed: [average.op, center.op, mean.op, sum.op, op])
  }
  return .init(kind: RMSNorm(axis: axis, epsilon: epsilon), operands: [value], absorbed: [mean.op, sum.op, op])
}

/// The one number that all elements of a constant are.
func splat(_ value: ValueID, _ context: PassContext) -> Double? {
  guard let tensor = context.constant(value), tensor.storage?.isFloat ?? false, (1...4096).contains(tensor.count) else {
    return nil
  }
  let numbers = tensor.doubles()
  return numbers.allSatisfy({ $0 == numbers[0] }) ? numbers[0] : nil
}

/// The first of the axes that a mean takes, when those are the last ones and stay as extents of 1.
private func rowAxis(_ mean: (op: OpID, kind: Reduce), _ context: PassContext) -> Int? {
  guard mean.kind.keepDims, let x = context.operand(mean.op, 0), let rank = context.shape(x)?.count, rank > 0 else {
    return nil
  }
  let axes = mean.kind.axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
  guard let first = axes.first else { return 0 }
  return axes == Array(first..<rank) ? first : nil
}

private func isSquare(_ value: ValueID, of base: ValueID, _ context: PassContext) -> Bool {
  guard let power = context.producer(of: value, Binary.self), context.operand(power.op, 0) == base,
    let second = context.operand(power.op, 1)
  else { return false }
  return power.kind.function == .mul ? second == base : power.kind.function == .pow && splat(second, context) == 2
}

/// `norm x * scale` for a norm that has no factors yet.
private let factorIntoNorm = RewritePattern.rebuilding("factor-into-norm", roots: ["mul"]) { op, context in
  joined(op, context, at: 1) { $0.count < 2 || $0[1] == nil }
}

/// `layer_norm x, scale + bias` for one that has no addend yet.
private let addendIntoNorm = RewritePattern.rebuilding("addend-into-norm", roots: ["add"]) { op, context in
  joined(op, context, at: 2) { $0.count < 3 || $0[2] == nil }
}

/// The norm that one operand of `op` is, with the other one as its operand `place`.
private func joined(
  _ op: OpID, _ context: PassContext, at place: Int, _ isFree: ([ValueID?]) -> Bool
) -> RewritePattern.Replacement? {
  guard let a = context.operand(op, 0), let b = context.operand(op, 1) else { return nil }
  for (value, factor) in [(a, b), (b, a)] {
    guard context.useCount(value) == 1, let norm = context.function.definingOp(value),
      context.function[norm].kind is LayerNorm || (place == 1 && context.function[norm].kind is RMSNorm)
    else { continue }
    let operation = context.function[norm]
    // The addend comes behind a factor: with an addend there, it is too late for one.
    guard isFree(operation.operands), operation.operands.count <= 2 || operation.operands[2] == nil else { continue }
    var operands = operation.operands
    while operands.count <= place { operands.append(nil) }
    operands[place] = factor
    if context.infersWithoutGuards(operation.kind, operands) != nil {
      return .init(kind: operation.kind, operands: operands, absorbed: [norm])
    }
  }
  return nil
}

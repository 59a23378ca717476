import IR
import Support

/// Rebuilds attention where a model spells it out.
///
///     %1 = matmul %q, %k {transpose_rhs = true} : f32[1, 12, n, n]
///     %2 = mul %1, @scale                       : f32[1, 12, n, n]
///     %3 = add %2, %mask                        : f32[1, 12, n, n]
///     %4 = softmax %3                           : f32[1, 12, n, n]
///     %5 = matmul %4, %v                        : f32[1, 12, n, 64]
///
/// becomes
///
///     %1 = attention %q, %k, %v, %mask {scale = 0.125} : f32[1, 12, n, 64]
///
/// The factor may stand before the product, on either side. Masks may be added or selected by, several in a row; one
/// that hides what comes behind a query becomes `after = 0`. Where queries, keys and values are all transposed from
/// `[batch, positions, heads, width]`, they are taken as they were and the result is transposed instead. A query that
/// sees nothing (its mask is minus infinity throughout) gets zeros, where the spelled-out form divides zero by zero;
/// one whose mask is a finite number throughout keeps its mean.
public let rebuildAttention = GraphPass(
  "rebuild-attention", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)),
  "rebuilds attention that is spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([productsToAttention])
}

private let productsToAttention = RewritePattern("products-to-attention", roots: ["matmul"]) {
  op, context throws(Diagnostic) in
  guard let match = SpelledAttention(op, &context), let type = context.function.tensorType(match.q.value) else {
    return false
  }
  let result = context.function[op].results[0]
  guard context.permit("products-to-attention", at: op) else { return false }
  let locations = context.locations(of: match.absorbed + [op])
  func insert(
    _ kind: any OpKind, _ operands: [ValueID?], _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID {
    try context.insert(kind, operands, locations: locations, at: .before(op))[0]
  }
  func transposed(
    _ value: ValueID, _ permutation: [Int], _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID {
    try insert(Transpose(permutation: permutation), [value], &context)
  }
  var (q, k, v) = (match.q.value, match.k.value, match.v.value)
  let sequenceFirst = [match.q, match.k, match.v].allSatisfy { $0.form == .sequenceFirst || $0.form == .widthFirst }
  if sequenceFirst {
    func source(_ operand: SpelledAttention.Operand, _ context: inout PassContext) throws(Diagnostic) -> ValueID {
      guard let shape = operand.sourceShape else { return operand.source }
      return try insert(Reshape(shape: shape), [operand.source], &context)
    }
    (q, k, v) = (try source(match.q, &context), try source(match.k, &context), try source(match.v, &context))
  } else if match.k.form == .widthFirst {
    k = try transposed(match.k.source, [0, 2, 1, 3], &context)
  }
  var mask = try match.mask.insert(type, locations: locations, before: op, &context)
  if match.isFlat {
    // One head a batch.
    func withHead(_ value: ValueID, _ context: inout PassContext) throws(Diagnostic) -> ValueID {
      var shape = context.shape(value) ?? []
      shape.insert(1, at: 1)
      return try insert(Reshape(shape: shape), [value], &context)
    }
    (q, k, v) = (try withHead(q, &context), try withHead(k, &context), try withHead(v, &context))
    if let value = mask, context.shape(value)?.count == 3 { mask = try withHead(value, &context) }
  }
  let causal = match.mask.causalOffset
  let kind = Attention(
    scale: match.scale, after: causal == nil ? -1 : 0, offset: causal ?? 0, sequenceFirst: sequenceFirst)
  var mixed = try insert(kind, mask == nil ? [q, k, v] : [q, k, v, mask], &context)
  if sequenceFirst { mixed = try transposed(mixed, [0, 2, 1, 3], &context) }
  if match.isFlat { mixed = try insert(Reshape(shape: context.shape(result) ?? []), [mixed], &context) }
  try context.replace(op, with: [mixed])
  return true
}

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
/// The factor may stand before the product, on either side. Where queries, keys and values are all transposed from
/// `[batch, positions, heads, width]`, they are taken as they were and the result is transposed instead. A query that
/// sees nothing (its mask is minus infinity throughout) gets zeros, where the spelled-out form divides zero by zero.
public let rebuildAttention = GraphPass(
  "rebuild-attention", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)),
  "rebuilds attention that is spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([productsToAttention])
}

/// The widest heads that `attention` is worth it for.
private let widestHead = 1024

private let productsToAttention = RewritePattern("products-to-attention", roots: ["matmul"]) {
  op, context throws(Diagnostic) in
  guard let match = SpelledAttention(op, &context) else { return false }
  let result = context.function[op].results[0]
  guard context.permit("products-to-attention", at: op) else { return false }
  var locations: [String] = []
  for absorbed in match.absorbed + [op] { locations += context.function[absorbed].locations }
  var seen: Set<String> = []
  locations = locations.filter { seen.insert($0).inserted }
  func insert(
    _ kind: any OpKind, _ operands: [ValueID?], _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID {
    try context.insert(kind, operands, locations: locations, at: .before(op))[0]
  }
  func transposed(
    _ value: ValueID, _ permutation: [Int], _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID {
    var kind = Transpose(mnemonic: "transpose")
    kind.permutation = permutation
    return try insert(kind, [value], &context)
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
  var mask = match.mask
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
  let kind = Attention(scale: match.scale, sequenceFirst: sequenceFirst)
  var mixed = try insert(kind, mask == nil ? [q, k, v] : [q, k, v, mask], &context)
  if sequenceFirst { mixed = try transposed(mixed, [0, 2, 1, 3], &context) }
  if match.isFlat { mixed = try insert(Reshape(shape: context.shape(result) ?? []), [mixed], &context) }
  try context.replace(op, with: [mixed])
  return true
}

/// What the pattern found.
private struct SpelledAttention {
  enum Form {
    /// As `attention` takes it.
    case headsFirst
    /// A transpose of `[batch, positions, heads, width]`.
    case sequenceFirst
    /// The same, with the last two axes exchanged: keys, ready to be multiplied.
    case widthFirst
  }
  struct Operand {
    var value: ValueID
    /// What is transposed.
    var source: ValueID
    var form: Form
    /// The shape to give to what is transposed first.
    var sourceShape: [Dim]?
  }
  var q: Operand
  var k: Operand
  var v: Operand
  var mask: ValueID?
  var scale = 1.0
  /// Whether there are three axes: batch, positions, width.
  var isFlat: Bool
  var absorbed: [OpID] = []

  init?(_ op: OpID, _ context: inout PassContext) {
    guard let mix = context.kind(op, MatMul.self), !mix.transposeLHS, context.operand(op, 2) == nil,
      let weights = context.operand(op, 0), let values = context.operand(op, 1),
      let softmax = context.producer(of: weights, Softmax.self), let type = context.function.tensorType(weights),
      softmax.kind.axis == -1 || softmax.kind.axis == type.rank - 1, type.rank == 4 || type.rank == 3,
      type.plain?.isFloat ?? false
    else { return nil }
    func misses(_ reason: String) { context.missed("products-to-attention", at: op, reason) }
    guard context.useCount(weights) == 1 else {
      misses("the result of softmax has \(context.useCount(weights)) uses")
      return nil
    }
    isFlat = type.rank == 3
    absorbed = [softmax.op]
    var scores = context.operand(softmax.op, 0)
    if let sum = context.producer(of: scores, Binary.self), sum.kind.function == .add,
      let a = context.operand(sum.op, 0),
      let b = context.operand(sum.op, 1)
    {
      // The product is the side that has all of the extents.
      let isFirst = SpelledAttention.isProduct(a, context)
      guard isFirst || SpelledAttention.isProduct(b, context) else { return nil }
      scores = isFirst ? a : b
      mask = isFirst ? b : a
      absorbed.append(sum.op)
    }
    SpelledAttention.peel(&scores, &scale, &absorbed, context)
    guard let product = context.producer(of: scores, MatMul.self), let scores else { return nil }
    guard context.operand(product.op, 2) == nil, !product.kind.transposeLHS,
      var queries = context.operand(product.op, 0),
      var keys = context.operand(product.op, 1)
    else { return nil }
    absorbed.append(product.op)
    guard context.shape(scores) == type.shape else {
      misses("the mask stretches the product")
      return nil
    }
    SpelledAttention.peelOperand(&queries, &scale, &absorbed, context)
    SpelledAttention.peelOperand(&keys, &scale, &absorbed, context)
    // Keys may be turned for the product by an op of its own.
    var areTurned = product.kind.transposeRHS
    if let turn = context.producer(of: keys, Transpose.self), let source = context.operand(turn.op, 0),
      turn.kind.permutation == (isFlat ? [0, 2, 1] : [0, 1, 3, 2])
    {
      keys = source
      areTurned.toggle()
    }
    var shared = values
    if areTurned, let single = SpelledAttention.unrepeated(keys, context),
      let singleValues = SpelledAttention.unrepeated(values, context)
    {
      (keys, shared) = (single, singleValues)
    }
    q = SpelledAttention.operand(queries, context)
    k = SpelledAttention.operand(keys, context)
    if mix.transposeRHS {
      misses("the values are transposed")
      return nil
    }
    v = SpelledAttention.operand(shared, context)
    if q.form == .widthFirst { q = Operand(value: queries, source: queries, form: .headsFirst) }
    if v.form == .widthFirst { v = Operand(value: shared, source: shared, form: .headsFirst) }
    if areTurned {
      if k.form == .widthFirst { k = Operand(value: keys, source: keys, form: .headsFirst) }
    } else if k.form != .widthFirst {
      misses("the keys are not transposed")
      return nil
    }
    guard fits(context) else {
      misses("queries, keys and values do not have the same batch and heads")
      return nil
    }
  }

  /// Whether a value is a product of matrices, scaled perhaps.
  private static func isProduct(_ value: ValueID, _ context: PassContext) -> Bool {
    var (current, scale, absorbed): (ValueID?, Double, [OpID]) = (value, 1, [])
    peel(&current, &scale, &absorbed, context)
    return context.producer(of: current, MatMul.self) != nil
  }

  /// Steps over factors on the product.
  private static func peel(
    _ value: inout ValueID?, _ scale: inout Double, _ absorbed: inout [OpID], _ context: PassContext
  ) {
    while let current = value, context.useCount(current) == 1,
      let factor = context.producer(of: current, Binary.self), let next = context.operand(factor.op, 0),
      let number = context.operand(factor.op, 1).flatMap({ splat($0, context) }), number.isFinite,
      context.shape(next) == context.shape(current)
    {
      switch factor.kind.function {
      case .mul: scale *= number
      case .div where number != 0: scale /= number
      default: return
      }
      absorbed.append(factor.op)
      value = next
    }
  }

  /// The same on an operand of the product.
  private static func peelOperand(
    _ value: inout ValueID, _ scale: inout Double, _ absorbed: inout [OpID], _ context: PassContext
  ) {
    var current: ValueID? = value
    peel(&current, &scale, &absorbed, context)
    value = current ?? value
  }

  private static func operand(_ value: ValueID, _ context: PassContext) -> Operand {
    if let transpose = context.producer(of: value, Transpose.self), let source = context.operand(transpose.op, 0) {
      if transpose.kind.permutation == [0, 2, 1, 3] {
        return Operand(value: value, source: source, form: .sequenceFirst)
      }
      if transpose.kind.permutation == [0, 2, 3, 1] { return Operand(value: value, source: source, form: .widthFirst) }
    }
    // One sequence whose heads were turned to the front as if they were the batch.
    if let reshape = context.producer(of: value, Reshape.self), let shape = context.shape(value), shape.count == 4,
      let transpose = context.producer(of: context.operand(reshape.op, 0), Transpose.self),
      transpose.kind.permutation == [1, 0, 2], let source = context.operand(transpose.op, 0),
      let rows = context.shape(source), shape == [1, rows[1], rows[0], rows[2]]
    {
      return Operand(value: value, source: source, form: .sequenceFirst, sourceShape: [1] + rows)
    }
    return Operand(value: value, source: value, form: .headsFirst)
  }

  /// What `[batch, heads, positions, width]` repeats, each head some times in a row: heads that queries share.
  private static func unrepeated(_ value: ValueID, _ context: PassContext) -> ValueID? {
    guard let join = context.producer(of: value, Reshape.self),
      let repeats = context.producer(of: context.operand(join.op, 0), Broadcast.self),
      let apart = context.producer(of: context.operand(repeats.op, 0), Reshape.self),
      let source = context.operand(apart.op, 0), let shape = context.shape(source), shape.count == 4,
      let wide = context.operand(join.op, 0).flatMap({ context.shape($0) }), wide.count == 5,
      context.operand(repeats.op, 0).flatMap({ context.shape($0) }) == [shape[0], shape[1], 1, shape[2], shape[3]],
      wide == [shape[0], shape[1], wide[2], shape[2], shape[3]],
      context.shape(value) == [shape[0], shape[1] * wide[2], shape[2], shape[3]]
    else { return nil }
    return source
  }

  /// The leading axes must be equal, not stretch, and heads must be of a known width.
  private func fits(_ context: PassContext) -> Bool {
    guard let x = context.shape(q.value), var y = context.shape(k.value), let z = context.shape(v.value) else {
      return false
    }
    if k.form == .widthFirst { y.swapAt(2, 3) }
    let batch = isFlat ? 1 : 2
    guard x.count == batch + 2, y.count == batch + 2, z.count == batch + 2 else { return false }
    guard context.provablyEqual(x[0], y[0]), context.provablyEqual(x[0], z[0]) else { return false }
    if batch > 1, !context.provablyEqual(x[1], y[1]) {
      guard let heads = x[1].constant, let shared = y[1].constant, shared > 0, heads % shared == 0 else { return false }
    }
    guard batch == 1 || context.provablyEqual(y[1], z[1]) else { return false }
    guard context.provablyEqual(y[batch], z[batch]) else { return false }
    guard let width = x[batch + 1].constant, let valueWidth = z[batch + 1].constant, width > 0 else { return false }
    return max(width, valueWidth) <= widestHead
  }
}

import IR
import Support

/// The ops that spell an attention out, found from its last product.
struct SpelledAttention {
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
  var mask = SpelledMask()
  var scale = 1.0
  /// Whether there are three axes: batch, positions, width.
  var isFlat: Bool
  var absorbed: [OpID] = []

  /// The widest heads that `attention` is worth it for.
  private static let widestHead = 1024

  init?(_ op: OpID, _ context: inout PassContext) {
    guard let mix = context.kind(op, MatMul.self), !mix.transposeLHS, context.operand(op, 2) == nil,
      var weights = context.operand(op, 0), let values = context.operand(op, 1),
      let type = context.function.tensorType(weights), type.rank == 4 || type.rank == 3,
      type.plain?.isFloat ?? false
    else { return nil }
    func misses(_ reason: String) { context.missed("products-to-attention", at: op, reason) }
    // Between products of half floats softmax is often taken in f32; attention computes in f32 anyway.
    if let narrowed = context.producer(of: weights, Cast.self), let wide = context.operand(narrowed.op, 0),
      context.useCount(weights) == 1, context.function.tensorType(wide)?.plain == .f32,
      type.plain == .f16 || type.plain == .bf16
    {
      weights = wide
      absorbed.append(narrowed.op)
    }
    guard let softmax = context.producer(of: weights, Softmax.self),
      softmax.kind.axis == -1 || softmax.kind.axis == type.rank - 1, let scores = context.operand(softmax.op, 0)
    else { return nil }
    isFlat = type.rank == 3
    absorbed.append(softmax.op)
    guard let product = SpelledAttention.product(scores, type, &mask, &scale, &absorbed, context) else {
      misses("softmax takes no product by way of factors and masks that nothing else reads")
      return nil
    }
    guard context.useCount(weights) == 1 else {
      misses("the result of softmax has \(context.useCount(weights)) uses")
      return nil
    }
    if let reason = mask.obstacle(type, context) {
      misses(reason)
      return nil
    }
    guard context.operand(product.op, 2) == nil, !product.kind.transposeLHS,
      var queries = context.operand(product.op, 0), var keys = context.operand(product.op, 1)
    else { return nil }
    absorbed.append(product.op)
    guard context.shape(product.value) == type.shape else {
      misses("the mask stretches the product")
      return nil
    }
    SpelledAttention.peel(&queries, &scale, &absorbed, context)
    SpelledAttention.peel(&keys, &scale, &absorbed, context)
    // Keys may be turned for the product by an op of its own.
    var areTurned = product.kind.transposeRHS
    if let turn = context.producer(of: keys, Transpose.self), let source = context.operand(turn.op, 0),
      turn.kind.permutation == (isFlat ? [0, 2, 1] : [0, 1, 3, 2])
    {
      keys = source
      areTurned.toggle()
      SpelledAttention.peel(&keys, &scale, &absorbed, context)
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

  /// Steps from what softmax takes to the product, over masks, factors and casts.
  private static func product(
    _ scores: ValueID, _ type: TensorType, _ mask: inout SpelledMask, _ scale: inout Double, _ absorbed: inout [OpID],
    _ context: PassContext
  ) -> (op: OpID, kind: MatMul, value: ValueID)? {
    var scores = scores
    // Further masks than these are none that a model would have.
    for _ in 0..<8 {
      if let product = context.producer(of: scores, MatMul.self) { return (product.op, product.kind, scores) }
      let factors = scale
      peel(&scores, &scale, &absorbed, context)
      if let product = context.producer(of: scores, MatMul.self) { return (product.op, product.kind, scores) }
      // A factor on a mask would have to be multiplied into it.
      guard scale == factors, let op = context.function.definingOp(scores) else { return nil }
      switch context.function[op].kind {
      case let sum as Binary where sum.function == .add:
        guard
          let (side, addend) = context.pairs(op).first(where: { leadsToProduct($0.0, context) }),
          context.function.tensorType(addend)?.plain == type.plain
        else { return nil }
        mask.addends.append(addend)
        scores = side
      case is Select:
        guard let condition = context.operand(op, 0), let a = context.operand(op, 1), let b = context.operand(op, 2)
        else { return nil }
        if let number = context.splat(b), leadsToProduct(a, context) {
          mask.choices.append(SpelledMask.Choice(condition: condition, sees: true, number: number))
          scores = a
        } else if let number = context.splat(a), leadsToProduct(b, context) {
          mask.choices.append(SpelledMask.Choice(condition: condition, sees: false, number: number))
          scores = b
        } else {
          return nil
        }
      case is Cast:
        guard let source = context.operand(op, 0), context.function.tensorType(source)?.plain == type.plain,
          context.function.tensorType(scores)?.plain == .f32
        else { return nil }
        scores = source
      default: return nil
      }
      absorbed.append(op)
    }
    return nil
  }

  /// Whether a value is a product of matrices, scaled or masked perhaps.
  private static func leadsToProduct(_ value: ValueID, _ context: PassContext, _ depth: Int = 0) -> Bool {
    guard depth < 6, let op = context.function.definingOp(value) else { return false }
    let operation = context.function[op]
    switch operation.kind {
    case is MatMul: return true
    case let kind as Binary where [.add, .mul, .div].contains(kind.function):
      return operation.operands.contains { $0.map { leadsToProduct($0, context, depth + 1) } ?? false }
    case is Select, is Cast:
      return operation.operands.contains { $0.map { leadsToProduct($0, context, depth + 1) } ?? false }
    default: return false
    }
  }

  /// Steps over factors.
  private static func peel(
    _ value: inout ValueID, _ scale: inout Double, _ absorbed: inout [OpID], _ context: PassContext
  ) {
    while context.useCount(value) == 1,
      let factor = context.producer(of: value, Binary.self), let next = context.operand(factor.op, 0),
      let number = context.operand(factor.op, 1).flatMap({ context.splat($0) }), number.isFinite,
      context.shape(next) == context.shape(value)
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
    let elements = Set([q, k, v].map { context.function.tensorType($0.value)?.plain })
    guard elements.count == 1 else { return false }
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
    return max(width, valueWidth) <= SpelledAttention.widestHead
  }
}

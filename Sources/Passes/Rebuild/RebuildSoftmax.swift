import IR
import Support

/// Rebuilds softmax where a model spells it out.
///
///     %1 = reduce_max %x {axes = [1], keep_dims = true} : f32[n, 1]
///     %2 = sub %x, %1                                   : f32[n, 10]
///     %3 = exp %2                                       : f32[n, 10]
///     %4 = reduce_sum %3 {axes = [1], keep_dims = true} : f32[n, 1]
///     %5 = div %3, %4                                   : f32[n, 10]
///
/// becomes
///
///     %1 = softmax %x {axis = 1} : f32[n, 10]
///
/// The maximum may be missing: results are the same but where the exponentials overflow, which `softmax` avoids.
public let rebuildSoftmax = GraphPass(
  "rebuild-softmax", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)), "rebuilds softmax that is spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([quotientToSoftmax])
}

private let quotientToSoftmax = RewritePattern.rebuildingTold("quotient-to-softmax", roots: ["div", "mul"]) {
  op, context in
  guard let kind = context.kind(op, Binary.self), let a = context.operand(op, 0), let b = context.operand(op, 1) else {
    return nil
  }
  if kind.function == .div { return softmax(of: a, over: b, op, &context) }
  for (power, factor) in [(a, b), (b, a)] {
    guard let inverse = context.producer(of: factor, Unary.self), inverse.kind.function == .reciprocal,
      let sum = context.operand(inverse.op, 0)
    else { continue }
    if let found = softmax(of: power, over: sum, op, &context) { return found }
  }
  return nil
}

private func softmax(
  of power: ValueID, over sum: ValueID, _ op: OpID, _ context: inout PassContext
) -> RewritePattern.Replacement? {
  guard let exponential = context.producer(of: power, Unary.self), exponential.kind.function == .exp,
    let total = SpelledReduction(.sum, sum, context), total.x == power, var x = context.operand(exponential.op, 0)
  else { return nil }
  guard total.axes.count == 1, let axis = total.axes.first else {
    context.missed("quotient-to-softmax", at: op, "the sum runs along axes \(total.axes)")
    return nil
  }
  var absorbed = [exponential.op] + total.ops
  if let shifted = context.producer(of: x, Binary.self), shifted.kind.function == .sub,
    let source = context.operand(shifted.op, 0),
    let greatest = context.operand(shifted.op, 1).flatMap({ SpelledReduction(.max, $0, context) }),
    greatest.x == source, greatest.axes == [axis]
  {
    absorbed += greatest.ops + [shifted.op]
    x = source
  }
  return .init(kind: Softmax(axis: axis), operands: [x], absorbed: absorbed)
}

/// A reduction that keeps its axes as extents of 1, by itself or by a reshape behind it.
struct SpelledReduction {
  let x: ValueID
  /// In ascending order.
  let axes: [Int]
  let ops: [OpID]

  init?(_ function: Reduce.Function, _ value: ValueID, _ context: PassContext) {
    var ops: [OpID] = []
    var source: ValueID? = value
    if let reshape = context.producer(of: value, Reshape.self) {
      ops.append(reshape.op)
      source = context.operand(reshape.op, 0)
    }
    guard let reduce = context.producer(of: source, Reduce.self), reduce.kind.function == function,
      let x = context.operand(reduce.op, 0), let shape = context.shape(x),
      let reduced = try? reduce.kind.reducedAxes(rank: shape.count)
    else { return nil }
    // Behind a reshape the shape must be that of kept axes.
    let kept = shape.indices.map { reduced[$0] ? Dim(1) : shape[$0] }
    guard context.shape(value) == kept else { return nil }
    self.x = x
    axes = shape.indices.filter { reduced[$0] }
    self.ops = ops + [reduce.op]
  }
}

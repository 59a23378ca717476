import IR
import Support

/// Moves transposes through the ops between them until they cancel.
///
///     %1 = transpose %0 {permutation = [0, 3, 1, 2]} : f32[1, 64, 56, 56]   // after one conv
///     %2 = relu %1                                   : f32[1, 64, 56, 56]
///     %3 = transpose %2 {permutation = [0, 2, 3, 1]} : f32[1, 56, 56, 64]   // before the next
///
/// becomes
///
///     %1 = relu %0 : f32[1, 56, 56, 64]
///
/// Convolution and pooling want channels last, and the frontends of formats that have
/// them first insert transposes around each. Ops that do not care (elementwise, concat,
/// reduce, pad, slice, softmax, quantize, ...) form components; in each, a minimum cut
/// finds the ops to turn round so that transposes move the fewest bytes. A component
/// changes only when that number falls, so the pass ends. Last, a transpose before a
/// flatten moves into the rows of a constant matmul weight.
public let imageLayout = GraphPass(
  "image-layout", .rounds(RoundingBound(relative: 1e-5, absolute: 1e-5)),
  "moves transposes until they cancel, over the whole graph"
) { context throws(Diagnostic) in
  try context.forEachFunction { context throws(Diagnostic) in
    var tried: Set<LayoutAttempt> = []
    var worklist = Worklist(context.function.allOps())
    while let op = worklist.pop() {
      guard context.function.exists(op), let kind = context.kind(op, Transpose.self),
        let x = context.operand(op, 0)
      else { continue }
      let y = context.function[op].results[0]
      // Down from the transpose, to take it along; up from it, to bring it forward.
      for attempt in [LayoutAttempt(y, inverse(kind.permutation)), LayoutAttempt(x, kind.permutation)] {
        guard context.function.exists(op) else { break }
        try improve(attempt, at: op, &tried, &context)
      }
      for touched in context.takeTouched() { worklist.push(touched) }
    }
  }
  try context.rewrite([flattenIntoMatMul])
}

/// A value and the permutation it might have: tried once.
private struct LayoutAttempt: Hashable {
  let value: ValueID
  let permutation: [Int]
  init(_ value: ValueID, _ permutation: [Int]) {
    self.value = value
    self.permutation = permutation
  }
}

private func improve(
  _ attempt: LayoutAttempt, at op: OpID, _ tried: inout Set<LayoutAttempt>, _ context: inout PassContext
) throws(Diagnostic) {
  guard !tried.contains(attempt) else { return }
  let component = LayoutComponent(
    around: attempt.value, permuted: attempt.permutation, in: context.function[op].block, context)
  let choice = LayoutChoice(component, context)
  for (value, permutation) in component.permutations { tried.insert(LayoutAttempt(value, permutation)) }
  guard choice.costThen < choice.costNow, !choice.permuted.isEmpty else {
    if !component.members.isEmpty {
      context.missed(
        "move-transposes", at: op,
        "turning round \(component.members.count) ops would move \(choice.costThen) bytes, now \(choice.costNow)")
    }
    return
  }
  guard context.permit("move-transposes", at: op) else { return }
  try context.checkProgress()
  var rewrite = LayoutRewrite(component, choice.permuted)
  try rewrite.apply(&context)
}

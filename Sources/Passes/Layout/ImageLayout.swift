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
  try context.rewrite([flattenIntoMatMul])
  try context.forEachFunction { context throws(Diagnostic) in
    var search = LayoutSearch(context.function)
    try search.run(&context)
  }
}

/// Tries every transpose of a function both ways, once a value and permutation.
struct LayoutSearch {
  private var tried: Set<LayoutAttempt> = []
  private var worklist: Worklist
  private var positions: BlockPositions
  /// The bytes moved fall with every change. Should an estimate ever be wrong, the search still ends.
  private var changesLeft: Int

  init(_ function: Function) {
    let ops = function.allOps()
    worklist = Worklist(ops)
    positions = BlockPositions(everyBlockOf: function)
    changesLeft = 2 * ops.count + 16
  }

  mutating func run(_ context: inout PassContext) throws(Diagnostic) {
    while let op = worklist.pop() {
      guard context.function.exists(op), let kind = context.kind(op, Transpose.self), let x = context.operand(op, 0)
      else { continue }
      let y = context.function[op].results[0]
      // Down from the transpose, to take it along; up from it, to bring it forward.
      for attempt in [LayoutAttempt(y, inverse(kind.permutation)), LayoutAttempt(x, kind.permutation)] {
        guard context.function.exists(op) else { break }
        try improve(attempt, at: op, &context)
      }
    }
  }

  private mutating func improve(
    _ attempt: LayoutAttempt, at op: OpID, _ context: inout PassContext
  ) throws(Diagnostic) {
    // Whatever constants need, folding gives for nothing.
    guard !tried.contains(attempt), !context.isFoldable(attempt.value) else { return }
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
    guard changesLeft > 0 else { return context.note("the search for a layout gave up", at: op) }
    guard context.permit("move-transposes", at: op) else { return }
    changesLeft -= 1
    var rewrite = LayoutRewrite(component, choice.permuted)
    try rewrite.apply(&positions, &context)
    // A transpose that may go into weights was counted as nothing, so it has to go before others are counted.
    let touched = context.takeTouched()
    for op in touched where context.function.exists(op) && context.function[op].kind is Reshape {
      _ = try flattenIntoMatMul.apply(op, &context)
    }
    for op in touched + context.takeTouched() { worklist.push(op) }
  }
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

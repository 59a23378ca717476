import IR
import Support

/// Gives contractions that are computed in floats their weights as floats.
///
///     weight @w : i8<!q0>[32, 3, 3, 1]
///     %1 = dequantize @w : f32[32, 3, 3, 1]
///     %2 = conv %x, %1 {groups = 32} : f32[1, 56, 56, 32]
///
/// becomes
///
///     weight @w.1 : f32[32, 3, 3, 1]
///     %1 = conv %x, @w.1 {groups = 32} : f32[1, 56, 56, 32]
///
/// and likewise for weights that are one number, broadcast. Kernels arrange their weights when a model is compiled,
/// computed ones in every run. What no contraction reads stays small, and so do blocks, which are many times smaller
/// than what they stand for: reading them is what costs.
public let unpackWeights = GraphPass(
  "unpack-weights", .exact, "dequantizes and broadcasts weights of contractions ahead of time"
) { context throws(Diagnostic) in
  try context.rewrite([unpackForContractions])
}

private let unpackForContractions = RewritePattern(
  "unpack-for-contractions", roots: ["dequantize", "broadcast"]
) { op, context throws(Diagnostic) in
  let operation = context.function[op]
  for case let operand? in operation.operands {
    guard let type = context.function.tensorType(operand) else { return false }
    if case .block = type.element { return false }
  }
  guard feedsContractionsOnly(operation.results[0], context, through: 3) else { return false }
  return try foldConstant(op, &context, pattern: "unpack-for-contractions", mayExpand: true)
}

/// Whether all uses of a value are weights and biases of contractions, perhaps behind a few moves.
private func feedsContractionsOnly(_ value: ValueID, _ context: PassContext, through moves: Int) -> Bool {
  let uses = context.function[value].uses
  return !uses.isEmpty
    && uses.allSatisfy { use in
      guard case .operand(let user, let number) = use else { return false }
      let operation = context.function[user]
      switch operation.kind {
      case is Conv, is MatMul: return number > 0
      case is Reshape, is Transpose:
        return moves > 0 && feedsContractionsOnly(operation.results[0], context, through: moves - 1)
      default: return false
      }
    }
}

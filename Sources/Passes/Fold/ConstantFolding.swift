import IR
import Support

/// Computes at compile time what depends on constants and weights alone.
///
///     weight @w : f32[16, 3, 3, 1]
///     %1 = transpose @w {permutation = [0, 3, 1, 2]} : f32[16, 1, 3, 3]
///     %2 = neg %1                                    : f32[16, 1, 3, 3]
///
/// becomes a weight `@w.1` whose origin tells the recipe: `w, transpose {...}, neg`.
///
/// Bounded by the size of a result, by what all results add and by the arithmetic it
/// takes. What would blow weights up stays: dequantized and widened weights belong to
/// the kernels. What fails to evaluate is left for run time to report.
public let constantFolding = GraphPass(
  "constant-folding", .exact, "evaluates ops whose operands are constants or weights"
) { context throws(Diagnostic) in
  try context.rewrite([foldConstants])
}

private let foldConstants = RewritePattern(
  "fold", roots: OpRegistry.mnemonics.filter { $0 != "constant" }
) { op, context throws(Diagnostic) in
  try foldConstant(op, &context, pattern: "fold", mayExpand: false)
}

/// Puts a constant or a weight in the place of an op whose operands are such; with `mayExpand` also where that is much
/// larger than the operands.
func foldConstant(
  _ op: OpID, _ context: inout PassContext, pattern: String, mayExpand: Bool
) throws(Diagnostic) -> Bool {
  guard let inputs = FoldingInputs(of: op, context) else { return false }
  if let reason = inputs.refusal(context, mayExpand: mayExpand) {
    context.missed(pattern, at: op, reason)
    return false
  }
  let limit = context.limits.foldedTotalWork
  guard context.ledger.spend(inputs.work, limit: limit) else {
    context.missed(pattern, at: op, "folding has spent its \(limit) multiply-adds")
    return false
  }
  let results: [Value]
  do throws(Diagnostic) {
    results = try Evaluator(context.module).evaluate(
      inputs.kind, inputs.values, results: [.tensor(inputs.resultType)])
  } catch {
    context.missed(pattern, at: op, "it fails: \(error.message)")
    return false
  }
  guard results.count == 1, let tensor = results[0].tensor, tensor.type == inputs.resultType else {
    context.missed(pattern, at: op, "the value has another type than the op")
    return false
  }
  let growthLimit = mayExpand ? context.limits.unpackedGrowthBytes : context.limits.foldedGrowthBytes
  guard inputs.growth <= growthLimit - context.ledger.grown else {
    context.missed(pattern, at: op, "folded weights have grown to their limit")
    return false
  }
  guard context.permit(pattern, at: op) else { return false }
  let folded: ValueID
  if tensor.bytes.count <= context.limits.inlineConstantBytes || tensor.storage == .string {
    folded = try context.insert(Constant(tensor), [], before: op)[0]
  } else {
    let recipe = inputs.recipe(context)
    guard
      let weight = context.addWeight(
        tensor, after: inputs.root, origin: recipe, growth: inputs.growth, limit: growthLimit)
    else { return false }
    folded = weight
  }
  try context.replace(op, with: [folded])
  return true
}

/// An op all of whose operands are known, with what evaluating it would take.
private struct FoldingInputs {
  let kind: any OpKind
  let values: [Value]
  let resultType: TensorType
  /// Multiply-adds, from above.
  let work: Int
  /// The weight to name the result after.
  let root: String
  private let operandBytes: Int
  private let resultBytes: Int
  /// Bytes that the model gets larger by.
  let growth: Int

  init?(of op: OpID, _ context: PassContext) {
    let operation = context.function[op]
    guard operation.kind.effects.isPure, operation.regions.isEmpty, operation.results.count == 1,
      !operation.operands.isEmpty, let type = context.function.tensorType(operation.results[0]),
      let bytes = type.constantBytes, !context.introducesSymbol(operation)
    else { return nil }
    var values: [Value] = []
    var total = 0
    var freed = 0
    var root: String?
    for operand in operation.operands {
      guard let operand else {
        values.append(.optional(nil))
        continue
      }
      guard let tensor = context.constant(operand) else { return nil }
      values.append(.tensor(tensor))
      total += tensor.bytes.count
      guard let name = context.function.weightName(operand) else { continue }
      if context.useCount(operand) == 1 { freed += tensor.bytes.count }
      if root == nil { root = name }
    }
    kind = operation.kind
    self.values = values
    resultType = type
    operandBytes = total
    resultBytes = bytes
    growth = max(0, bytes - freed)
    self.root = root ?? operation.locations.first.map(FoldingInputs.lastWord) ?? "folded"
    work = FoldingInputs.work(of: operation, type, context)
  }

  /// Why it should not be folded, or nil.
  func refusal(_ context: PassContext, mayExpand: Bool) -> String? {
    let limits = context.limits
    if work > limits.foldedOpWork { return "it takes \(work) multiply-adds, more than \(limits.foldedOpWork)" }
    if mayExpand {
      let limit = limits.unpackedGrowthBytes
      return resultBytes > limit ? "the result takes \(resultBytes) bytes, more than \(limit)" : nil
    }
    if resultBytes > limits.foldedResultBytes {
      return "the result takes \(resultBytes) bytes, more than \(limits.foldedResultBytes)"
    }
    if resultBytes > max(limits.foldedExpansionBytes, operandBytes) {
      return "the result takes \(resultBytes) bytes, its operands \(operandBytes)"
    }
    if kind is Dequantize, operandBytes > limits.inlineConstantBytes {
      return "weights stay quantized until the kernel that uses them"
    }
    return nil
  }

  func recipe(_ context: PassContext) -> String {
    let origin = context.module.weight(root)?.origin ?? root
    // A chain of many folds stays readable, and a hostile one bounded.
    return (origin.utf8.count > 400 ? "..., " : "\(origin), ") + kind.text
  }

  private static func work(of operation: Operation, _ type: TensorType, _ context: PassContext) -> Int {
    func count(_ value: ValueID?) -> Int {
      guard let value, let shape = context.function.tensorType(value)?.constantShape else { return 1 }
      return shape.reduce(1) { Dim.multiply($0, $1) }
    }
    let result = type.constantShape?.reduce(1) { Dim.multiply($0, $1) } ?? Int.max
    let operands = operation.operands.reduce(0) { $0 + min(count($1), 1 << 40) }
    switch operation.kind {
    case let kind as MatMul:
      guard let a = operation.operands[0], let shape = context.function.tensorType(a)?.constantShape, shape.count >= 2
      else { return Int.max }
      return Dim.multiply(result, shape[shape.count - (kind.transposeLHS ? 2 : 1)])
    case is Conv:
      let filters = max(type.constantShape?.last ?? 1, 1)
      return Dim.multiply(result, max(count(operation.operands[1]) / filters, 1))
    case is Determinant:
      guard let x = operation.operands[0], let order = context.function.tensorType(x)?.constantShape?.last else {
        return Int.max
      }
      return Dim.multiply(operands, order)
    default: return min(result, 1 << 40) + operands
    }
  }

  /// `Conv_3` of `onnx:/layer1/Conv_3`.
  private static func lastWord(_ location: String) -> String {
    let word = location.split { $0 == "/" || $0 == ":" }.last.map(String.init) ?? "folded"
    let safe = word.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" }
    return String(safe)
  }
}

import IR
import Support

/// A reshape that flattens trailing axes for a matmul with constant weights: the weights' rows can take the order
/// that the data has, and a transpose before the reshape is not needed.
struct FlattenIntoMatMul {
  let reshape: Reshape
  let matmul: OpID
  let kind: MatMul
  /// Axes in front that the reshape keeps.
  private let kept: Int
  /// The flattened extents, in the order the weights' rows have now.
  private let flattened: [Int]

  /// `op` reads `value`; could it as well read it with axes permuted by `permutation`?
  init?(_ op: OpID, reading permutation: [Int], of value: ValueID, _ context: PassContext) {
    guard let reshape = context.kind(op, Reshape.self), let shape = context.shape(value), !reshape.shape.isEmpty,
      case let result = context.function[op].results[0], context.useCount(result) == 1,
      case .operand(let user, 0)? = context.function[result].uses.first, let kind = context.kind(user, MatMul.self),
      !kind.transposeLHS, let weights = context.operand(user, 1), let tensor = context.constant(weights),
      tensor.shape.count == 2, tensor.layout == nil, tensor.storage != nil
    else { return nil }
    kept = reshape.shape.count - 1
    guard kept < shape.count, Array(reshape.shape.dropLast()) == Array(shape[..<kept]),
      permutation.prefix(kept).elementsEqual(0..<kept),
      let flattened = TensorType(.f32, Array(shape[kept...])).constantShape,
      reshape.shape.last?.constant == flattened.reduce(1, *),
      tensor.shape[kind.transposeRHS ? 1 : 0] == flattened.reduce(1, *)
    else { return nil }
    self.reshape = reshape
    self.flattened = flattened
    self.kind = kind
    matmul = user
  }

  /// The weights with rows in the order of data permuted by `permutation`, as ops that folding will evaluate.
  func permutedWeights(_ permutation: [Int], _ context: inout PassContext) throws(Diagnostic) -> ValueID? {
    guard let weights = context.operand(matmul, 1), let shape = context.shape(weights) else { return nil }
    let rows = permutation.dropFirst(kept).map { $0 - kept }
    let columns = shape[kind.transposeRHS ? 0 : 1]
    let extents = flattened.map { Dim($0) }
    let offset = kind.transposeRHS ? 1 : 0
    let split = kind.transposeRHS ? [columns] + extents : extents + [columns]
    let moved = rows.map { $0 + offset }
    let order = kind.transposeRHS ? [0] + moved : moved + [rows.count]
    let apart = try context.insert(Reshape(shape: split), [weights], before: matmul)
    let turned = try context.insert(Transpose(permutation: order), apart, before: matmul)
    return try context.insert(Reshape(shape: shape), turned, before: matmul)[0]
  }
}

/// `matmul (reshape (transpose x)), w` is `matmul (reshape x), w'` with the rows of `w` reordered.
let flattenIntoMatMul = RewritePattern("transpose-into-weights", roots: ["reshape"]) { op, context throws(Diagnostic) in
  guard let y = context.operand(op, 0), let source = context.producer(of: y, Transpose.self),
    let x = context.operand(source.op, 0)
  else { return false }
  // Reading y permuted by the inverse is reading x.
  let back = inverse(source.kind.permutation)
  // A reader that cannot do without the transpose keeps it for all.
  for use in context.function[y].uses {
    guard case .operand(let user, _) = use, FlattenIntoMatMul(user, reading: back, of: y, context) != nil else {
      let uses = context.useCount(y)
      context.missed("transpose-into-weights", at: op, "the transpose has \(uses) uses, not all of which can change")
      return false
    }
  }
  guard let flatten = FlattenIntoMatMul(op, reading: back, of: y, context),
    context.permit("transpose-into-weights", at: op), let weights = try flatten.permutedWeights(back, &context)
  else { return false }
  let data = try context.insert(flatten.reshape, [x], before: op)
  var operands = context.function[flatten.matmul].operands
  operands[0] = data[0]
  operands[1] = weights
  let result = try context.insert(flatten.kind, operands, before: flatten.matmul)
  guard let fresh = context.function.definingOp(result[0]) else { return false }
  let locations = context.function[source.op].locations
  context.addLocations(locations, to: fresh)
  try context.replace(flatten.matmul, with: result)
  return true
}

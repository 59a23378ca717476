import IR
import Support

/// Moves the ops between image ops to data with channels first, as formats have it whose image ops want it so.
///
///     %1 = conv %0, @w : f32[1, 56, 56, 64]
///     %2 = relu %1     : f32[1, 56, 56, 64]
///     %3 = conv %2, @v : f32[1, 56, 56, 64]
///
/// becomes
///
///     %1 = conv %0, @w                               : f32[1, 56, 56, 64]
///     %2 = transpose %1 {permutation = [0, 3, 1, 2]} : f32[1, 64, 56, 56]
///     %3 = relu %2                                   : f32[1, 64, 56, 56]
///     %4 = transpose %3 {permutation = [0, 2, 3, 1]} : f32[1, 56, 56, 64]
///     %5 = conv %4, @v                               : f32[1, 56, 56, 64]
///
/// The opposite of `image-layout`, by the same search: each image op gets a pair of transposes on every side, there and
/// back, and what lies between two ops then moves to where the outer ones cancel. The inner ones remain: who writes an
/// image op puts transposes around it once more, and those cancel. Only exporters want this.
public let channelsFirst = GraphPass(
  "channels-first", .rounds(RoundingBound(relative: 1e-5, absolute: 1e-5)),
  "moves what lies between image ops to data with channels first"
) { context throws(Diagnostic) in
  try context.forEachFunction { context throws(Diagnostic) in
    var stands = TransposeStands()
    for op in context.function.allOps() { try stands.surround(op, &context) }
    var search = LayoutSearch(context.function)
    try search.run(&context)
    try stands.restore(&context)
  }
}

/// The transposes next to image ops. The search is to take them for given, so while it runs they stand in the graph as
/// reshapes of the same types.
private struct TransposeStands {
  private var transposes: [(op: OpID, permutation: [Int])] = []

  /// Which operands of an image op are images; its first result is one.
  private static func imageOperands(of kind: any OpKind) -> [Int] {
    switch kind {
    case is Conv, is ConvTranspose, is Pool, is MaxPoolIndex, is GridSample, is RegionAlign: [0]
    case is DeformConv: [0, 2, 3]
    default: []
    }
  }

  /// Puts transposes, there and back, at the images that an op reads and writes.
  mutating func surround(_ op: OpID, _ context: inout PassContext) throws(Diagnostic) {
    let operation = context.function[op]
    let images = TransposeStands.imageOperands(of: operation.kind)
    guard !images.isEmpty, operation.results.count == 1, context.permit("transposes-around-image-op", at: op) else {
      return
    }
    var operands = operation.operands
    for number in images where number < operands.count {
      guard let operand = operands[number], context.constant(operand) == nil, let rank = context.shape(operand)?.count
      else { continue }
      let there = TransposeStands.there(rank)
      let turned = try context.insert(Transpose(permutation: there), [operand], before: op)[0]
      operands[number] = try stand(for: inverse(there), of: turned, before: op, &context)
    }
    let fresh = try context.insert(operation.kind, operands, before: op)[0]
    if let twin = context.function.definingOp(fresh) { context.inherit(from: op, to: twin) }
    guard let rank = context.shape(fresh)?.count else { return }
    let turned = try stand(for: TransposeStands.there(rank), of: fresh, before: op, &context)
    let back = try context.insert(Transpose(permutation: inverse(TransposeStands.there(rank))), [turned], before: op)
    try context.replace(op, with: back)
  }

  /// `[N, spatial..., C]` to `[N, C, spatial...]`.
  private static func there(_ rank: Int) -> [Int] { [0, rank - 1] + Array(1..<rank - 1) }

  private mutating func stand(
    for permutation: [Int], of x: ValueID, before op: OpID, _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID {
    let shape = context.shape(x) ?? []
    let result = try context.insert(Reshape(shape: permutation.map { shape[$0] }), [x], before: op)[0]
    if let stand = context.function.definingOp(result) { transposes.append((stand, permutation)) }
    return result
  }

  /// Puts the transposes where they stood for.
  func restore(_ context: inout PassContext) throws(Diagnostic) {
    for (op, permutation) in transposes where context.function.exists(op) {
      try context.setKind(Transpose(permutation: permutation), of: op)
    }
  }
}

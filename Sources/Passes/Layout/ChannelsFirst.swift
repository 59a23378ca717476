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
/// back, and what lies between two ops then moves to where the outer ones cancel. Who writes an image op puts
/// transposes around it once more, which cancel the inner ones. Only exporters want this.
public let channelsFirst = GraphPass(
  "channels-first", .rounds(RoundingBound(relative: 1e-5, absolute: 1e-5)),
  "moves what lies between image ops to data with channels first"
) { context throws(Diagnostic) in
  try context.forEachFunction { context throws(Diagnostic) in
    for op in context.function.allOps() { try surround(op, &context) }
    var search = LayoutSearch(context.function)
    try search.run(&context)
  }
}

/// Which operands of an image op are images; its first result is one.
private func imageOperands(of kind: any OpKind) -> [Int] {
  switch kind {
  case is Conv, is ConvTranspose, is Pool, is MaxPoolIndex, is GridSample, is RegionAlign: [0]
  case is DeformConv: [0, 2, 3]
  default: []
  }
}

/// Puts transposes, there and back, at the images that an op reads and writes.
private func surround(_ op: OpID, _ context: inout PassContext) throws(Diagnostic) {
  let operation = context.function[op]
  let images = imageOperands(of: operation.kind)
  guard !images.isEmpty, operation.results.count == 1, context.permit("transposes-around-image-op", at: op) else {
    return
  }
  var operands = operation.operands
  for number in images where number < operands.count {
    guard let operand = operands[number], context.constant(operand) == nil else { continue }
    operands[number] = try thereAndBack(operand, before: op, &context)
  }
  let fresh = try context.insert(operation.kind, operands, before: op)[0]
  if let twin = context.function.definingOp(fresh) { context.inherit(from: op, to: twin) }
  let result = try thereAndBack(fresh, before: op, &context)
  try context.replace(op, with: [result])
}

private func thereAndBack(_ x: ValueID, before op: OpID, _ context: inout PassContext) throws(Diagnostic) -> ValueID {
  guard let rank = context.shape(x)?.count, rank >= 3 else { return x }
  let there = [0, rank - 1] + Array(1..<rank - 1)
  let turned = try context.insert(Transpose(permutation: there), [x], before: op)[0]
  return try context.insert(Transpose(permutation: inverse(there)), [turned], before: op)[0]
}

import IR
import Support

/// Multiplies constant factors behind a contraction into its weights, and lets addends and padding join a convolution:
/// batch normalisation vanishes.
///
///     %1 = conv %x, @w        : f32[1, 8, 8, 16]
///     %2 = mul %1, @factor    : f32[1, 8, 8, 16]
///     %3 = add %2, @addend    : f32[1, 8, 8, 16]
///
/// becomes
///
///     %1 = reshape @factor {shape = [16, 1, 1, 1]} : f32[16, 1, 1, 1]
///     %2 = mul @w, %1                              : f32[16, 3, 3, 8]
///     %3 = conv %x, %2, @addend                    : f32[1, 8, 8, 16]
///
/// where what is constant is left to folding. Weights that others read, or that folding would refuse, stay. Constant
/// factors and addends that follow each other become one of each, whatever they follow, and constant divisors become
/// factors.
public let scalesIntoWeights = GraphPass(
  "scales-into-weights", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-3)),
  "multiplies factors behind contractions into their weights"
) { context throws(Diagnostic) in
  try context.rewrite([
    scaleIntoWeights, addendIntoConv, padIntoConv, mergeScales, mergeAddends, scalePastAddend, divisorIntoFactor,
  ])
}

/// `mul (conv x, w, b), c` is `conv x, (w * c), (b * c)`, and likewise for `matmul` and `div`.
private let scaleIntoWeights = RewritePattern("scale-into-weights", roots: ["mul", "div"]) {
  op, context throws(Diagnostic) in
  guard let kind = context.kind(op, Binary.self), let value = context.operand(op, 0),
    let factor = context.operand(op, 1), let contraction = Weighted(value, context),
    let columns = ChannelRow(factor, beside: value, context)
  else { return false }
  if let reason = contraction.obstacle(value, context) {
    context.missed("scale-into-weights", at: op, reason)
    return false
  }
  guard context.permit("scale-into-weights", at: op) else { return false }
  let shaped = try columns.shaped(contraction.weightShape(channels: columns.count), before: op, &context)
  var operands = contraction.operands
  operands[1] = try context.insert(kind, [operands[1], shaped], before: op)[0]
  if let bias = contraction.bias {
    let row = try columns.shaped(columns.count == 1 ? [] : [Dim(columns.count)], before: op, &context)
    operands[2] = try context.insert(kind, [bias, row], before: op)[0]
  }
  let result = try context.insert(
    contraction.kind, operands, locations: context.locations(of: [contraction.op, op]), at: .before(op))
  try context.replace(op, with: result)
  return true
}

/// `add (conv x, w), b` is `conv x, w, b` for one constant number a channel.
private let addendIntoConv = RewritePattern("addend-into-conv", roots: ["add"]) { op, context throws(Diagnostic) in
  guard let value = context.operand(op, 0), let addend = context.operand(op, 1),
    let conv = context.producer(of: value, Conv.self), let columns = ChannelRow(addend, beside: value, context),
    let channels = context.shape(value)?.last?.constant
  else { return false }
  guard context.useCount(value) == 1 else {
    context.missed("addend-into-conv", at: op, "the result of conv", usesOf: value)
    return false
  }
  var operands = context.function[conv.op].operands
  let bias = operands.count > 2 ? operands[2] : nil
  guard bias.map({ context.isConstantSoon($0) }) ?? true else {
    context.missed("addend-into-conv", at: op, "the bias is computed")
    return false
  }
  // A bias has one number a channel.
  guard columns.count == channels || bias != nil, context.permit("addend-into-conv", at: op) else { return false }
  let row = try columns.shaped(columns.count == channels ? [Dim(channels)] : [], before: op, &context)
  while operands.count < 3 { operands.append(nil) }
  operands[2] = if let bias { try context.insert(Binary(.add), [bias, row], before: op)[0] } else { row }
  let result = try context.insert(
    conv.kind, operands, locations: context.locations(of: [conv.op, op]), at: .before(op))
  try context.replace(op, with: result)
  return true
}

/// The widest padding that a convolution takes over.
private let widestPadding = 16

/// `conv (pad x)` with zeros around the image is a conv with padding.
private let padIntoConv = RewritePattern.rebuildingTold("pad-into-conv", roots: ["conv"]) { op, context in
  guard var kind = context.kind(op, Conv.self), let value = context.operand(op, 0),
    let pad = context.producer(of: value, Pad.self), let x = context.operand(pad.op, 0),
    case let spatial = pad.kind.before.count - 2, spatial > 0
  else { return nil }
  guard pad.kind.value == 0, (pad.kind.before + pad.kind.after).allSatisfy({ $0 >= 0 }),
    [pad.kind.before, pad.kind.after].allSatisfy({ $0[0] == 0 && $0[spatial + 1] == 0 })
  else {
    context.missed("pad-into-conv", at: op, "it is no padding of the image with zeros")
    return nil
  }
  guard context.useCount(value) == 1 else {
    context.missed("pad-into-conv", at: op, "the padded image", usesOf: value)
    return nil
  }
  // Pixels at the border have code of their own for each of their distances to it.
  guard (pad.kind.before + pad.kind.after).allSatisfy({ $0 <= widestPadding }) else {
    context.missed("pad-into-conv", at: op, "it pads by more than \(widestPadding)")
    return nil
  }
  if kind.padding.isEmpty { kind.padding = Array(repeating: 0, count: 2 * spatial) }
  for axis in 0..<spatial {
    kind.padding[axis] += pad.kind.before[axis + 1]
    kind.padding[spatial + axis] += pad.kind.after[axis + 1]
  }
  var operands = context.function[op].operands
  operands[0] = x
  return .init(kind: kind, operands: operands, absorbed: [pad.op])
}

/// `mul (mul x, c), d` is `mul x, (c * d)`, `div (mul x, c), d` is `mul x, (c / d)`, and so on.
private let mergeScales = RewritePattern("merge-scales", roots: ["mul", "div"]) { op, context throws(Diagnostic) in
  try merge("merge-scales", op, [.mul, .div], &context) { inner, outer in
    switch (inner, outer) {
    case (.div, .mul): (.mul, .div, true)
    case (.div, .div): (.div, .mul, false)
    default: (.mul, outer, false)
    }
  }
}

/// `add (add x, c), d` is `add x, (c + d)`.
private let mergeAddends = RewritePattern("merge-addends", roots: ["add"]) { op, context throws(Diagnostic) in
  try merge("merge-addends", op, [.add], &context) { _, _ in (.add, .add, false) }
}

/// Joins the constants of two ops in a row; `choose` says, for the inner and the outer function, which one stays, which
/// one joins the constants, and whether the outer constant comes first in that.
private func merge(
  _ name: String, _ op: OpID, _ inners: [Binary.Function], _ context: inout PassContext,
  _ choose: (Binary.Function, Binary.Function) -> (Binary.Function, Binary.Function, Bool)
) throws(Diagnostic) -> Bool {
  guard let kind = context.kind(op, Binary.self), let value = context.operand(op, 0),
    let outer = context.operand(op, 1), context.isFloat(value),
    let inner = context.producer(of: value, Binary.self), inners.contains(inner.kind.function),
    let x = context.operand(inner.op, 0), let first = context.operand(inner.op, 1), context.isSmallConstant(outer),
    context.isSmallConstant(first), context.shape(x) == context.shape(value),
    context.shape(value) == context.shape(context.function[op].results[0])
  else { return false }
  guard context.useCount(value) == 1 else {
    context.missed(name, at: op, "the inner result", usesOf: value)
    return false
  }
  guard context.permit(name, at: op) else { return false }
  let (stays, joins, outerFirst) = choose(inner.kind.function, kind.function)
  let constants = outerFirst ? [outer, first] : [first, outer]
  let merged = try context.insert(Binary(joins), constants, before: op)[0]
  let result = try context.insert(
    Binary(stays), [x, merged], locations: context.locations(of: [inner.op, op]), at: .before(op))
  try context.replace(op, with: result)
  return true
}

/// `mul (add y, b), c` is `add (mul y, c), (b * c)` where `mul y, c` then vanishes; likewise `div`.
private let scalePastAddend = RewritePattern("scale-past-addend", roots: ["mul", "div"]) {
  op, context throws(Diagnostic) in
  guard let kind = context.kind(op, Binary.self), let value = context.operand(op, 0),
    let factor = context.operand(op, 1), context.isFloat(value),
    let sum = context.producer(of: value, Binary.self), sum.kind.function == .add, let y = context.operand(sum.op, 0),
    let addend = context.operand(sum.op, 1), context.isSmallConstant(factor), context.isSmallConstant(addend),
    context.shape(y) == context.shape(value),
    context.shape(value) == context.shape(context.function[op].results[0])
  else { return false }
  guard context.useCount(value) == 1 else {
    context.missed("scale-past-addend", at: op, "the sum", usesOf: value)
    return false
  }
  if let contraction = Weighted(y, context) {
    guard contraction.obstacle(y, context) == nil, ChannelRow(factor, beside: y, context) != nil else { return false }
  } else {
    guard let product = context.producer(of: y, Binary.self), [.mul, .div].contains(product.kind.function),
      context.useCount(y) == 1,
      let inner = context.operand(product.op, 1), context.isSmallConstant(inner),
      context.operand(product.op, 0).flatMap({ context.shape($0) }) == context.shape(y)
    else { return false }
  }
  guard context.permit("scale-past-addend", at: op) else { return false }
  let scaled = try context.insert(
    kind, [y, factor], locations: context.function[op].locations, at: .before(op))[0]
  let moved = try context.insert(kind, [addend, factor], before: op)[0]
  let result = try context.insert(
    Binary(.add), [scaled, moved], locations: context.locations(of: [sum.op, op]), at: .before(op))
  try context.replace(op, with: result)
  return true
}

/// `div x, c` is `mul x, (1 / c)`: a division takes several times as long.
private let divisorIntoFactor = RewritePattern("divisor-into-factor", roots: ["div"]) {
  op, context throws(Diagnostic) in
  guard let x = context.operand(op, 0), !context.isConstantSoon(x), let divisor = context.operand(op, 1),
    let tensor = context.constant(divisor), let element = tensor.storage, element == .f32 || element == .f64,
    tensor.count <= 1 << 16
  else { return false }
  let numbers = tensor.doubles()
  let limits = element == .f32 ? 0x1p-126...0x1p126 : 0x1p-1022...0x1p1022
  guard numbers.allSatisfy({ limits.contains($0.magnitude) }) else {
    context.missed("divisor-into-factor", at: op, "the inverse of a divisor is no normal number")
    return false
  }
  guard context.permit("divisor-into-factor", at: op) else { return false }
  let inverse = try context.insert(Unary(.reciprocal), [divisor], before: op)
  let result = try context.insert(Binary(.mul), [x, inverse[0]], before: op)
  try context.replace(op, with: result)
  return true
}

extension PassContext {
  fileprivate func isFloat(_ value: ValueID) -> Bool { function.tensorType(value)?.plain?.isFloat ?? false }

  /// Whether a value is a row of constants, whose sums and products cost nothing to keep.
  fileprivate func isSmallConstant(_ value: ValueID) -> Bool {
    isConstantSoon(value) && (function.tensorType(value)?.constantBytes ?? Int.max) <= 1 << 18
  }

  /// The kinds of ops that this pass puts between constants.
  private func isFolded(_ kind: any OpKind) -> Bool {
    kind is Binary || kind is Reshape || (kind as? Unary)?.function == .reciprocal
  }

  /// Whether a value is constant, or will be once what this pass put together is folded.
  fileprivate func isConstantSoon(_ value: ValueID, depth: Int = 0) -> Bool {
    if constant(value) != nil { return true }
    guard depth < 16, let op = function.definingOp(value), isFolded(function[op].kind)
    else { return false }
    return function[op].operands.allSatisfy { $0.map { isConstantSoon($0, depth: depth + 1) } ?? false }
  }
}

/// A contraction whose result has one column of constant weights a channel.
private struct Weighted {
  let op: OpID
  let kind: any OpKind
  let operands: [ValueID?]
  private let axis: Int
  private let rank: Int

  var bias: ValueID? { operands.count > 2 ? operands[2] : nil }

  init?(_ value: ValueID, _ context: PassContext) {
    guard let op = context.function.definingOp(value), case let operation = context.function[op],
      operation.operands.count > 1, let weights = operation.operands[1], context.isConstantSoon(weights),
      let type = context.function.tensorType(weights), type.layout == nil, type.plain?.isFloat ?? false
    else { return nil }
    switch operation.kind {
    case let conv as Conv where conv.kernel.isEmpty: axis = 0
    case let matmul as MatMul where type.rank == 2: axis = matmul.transposeRHS ? 0 : 1
    default: return nil
    }
    self.op = op
    kind = operation.kind
    operands = operation.operands
    rank = type.rank
  }

  /// The shape in which one number a channel lies beside the weights.
  func weightShape(channels: Int) -> [Dim] {
    if channels == 1 { return [] }
    var shape = [Dim](repeating: 1, count: rank)
    shape[axis] = Dim(channels)
    return shape
  }

  /// Why the weights stay as they are, or nil.
  func obstacle(_ value: ValueID, _ context: PassContext) -> String? {
    guard let weights = operands[1], let type = context.function.tensorType(weights), let bytes = type.constantBytes,
      let count = type.elementCount.constant
    else { return "the weights have no known size" }
    let name = kind.mnemonic
    if context.useCount(value) != 1 { return "the result of \(name) has \(context.useCount(value)) uses" }
    if context.useCount(weights) != 1 { return "the weights have \(context.useCount(weights)) uses" }
    if let bias, !context.isConstantSoon(bias) { return "the bias is computed" }
    let limits = context.limits
    if bytes > limits.foldedResultBytes { return "the weights take \(bytes) bytes" }
    if count > limits.foldedOpWork / 3 { return "there are \(count) weights" }
    return nil
  }
}

/// A constant beside a value: one number for all, or one a channel, which is the last axis.
private struct ChannelRow {
  let value: ValueID
  let count: Int

  init?(_ value: ValueID, beside other: ValueID, _ context: PassContext) {
    guard context.isConstantSoon(value), let type = context.function.tensorType(value), type.plain?.isFloat ?? false,
      let own = type.constantShape, let shape = context.shape(other), own.count <= shape.count,
      own.dropLast().allSatisfy({ $0 == 1 })
    else { return nil }
    let last = own.last ?? 1
    guard last == 1 || shape.last?.constant == last else { return nil }
    self.value = value
    count = last
  }

  func shaped(_ shape: [Dim], before op: OpID, _ context: inout PassContext) throws(Diagnostic) -> ValueID {
    try context.shape(value) == shape ? value : context.insert(Reshape(shape: shape), [value], before: op)[0]
  }
}

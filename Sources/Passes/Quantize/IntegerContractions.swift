import IR
import Support

/// Runs products of what is quantized on both sides in integers.
///
///     %1 = dequantize %0             : f32[1, 8, 8, 16]     (%0: u8<!a>[1, 8, 8, 16])
///     %2 = dequantize @w             : f32[4, 3, 3, 16]     (@w: i8<!b>[4, 3, 3, 16])
///     %3 = conv %1, %2, %bias        : f32[1, 6, 6, 4]
///
/// becomes
///
///     %1 = bit_cast %0 {to = u8}     : u8[1, 8, 8, 16]
///     %2 = conv %1, @integers, @less : i32[1, 6, 6, 4]
///     %3 = dequantize %2, @scales    : f32[1, 6, 6, 4]
///     %4 = add %3, %bias             : f32[1, 6, 6, 4]
///
/// where `@less` takes away what the zero point of `%0` adds to every sum. The sums are exact; before, every step of
/// them was rounded. What moves numbers between `dequantize` and the product moves the integers instead, and so does what
/// stands between `dequantize` and a `quantize` by the same parameters.
public let integerContractions = GraphPass(
  "integer-contractions", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-3)),
  "runs products of quantized numbers in integers"
) { context throws(Diagnostic) in
  try context.rewrite([integerContraction, movedIntegers])
}

/// A product of quantized numbers and quantized constants.
private let integerContraction = RewritePattern("integer-contraction", roots: ["conv", "matmul"]) {
  op, context throws(Diagnostic) in
  guard let left = context.operand(op, 0), let right = context.operand(op, 1), let shape = context.shape(left),
    context.function.tensorType(left)?.plain == .f32, let channelAxis = outputAxis(of: op, context),
    let a = QuantizedSource(left, context), let b = QuantizedSource(right, context)
  else { return false }
  guard a.scales.count == 1, a.stored == .u8 || a.stored == .i8 else {
    context.missed("integer-contraction", at: op, "the left side does not have one scale for all of its bytes")
    return false
  }
  guard let weights = IntegerWeights(b, channelAxis: channelAxis, context) else {
    context.missed("integer-contraction", at: op, "the right side is no constant of bytes by channel")
    return false
  }
  guard weights.zeros.isEmpty || (context.kind(op, Conv.self)?.groups ?? 1) == 1 else {
    context.missed("integer-contraction", at: op, "groups of channels have weights whose zero is none")
    return false
  }
  guard context.permit("integer-contraction", at: op) else { return false }
  var kind = context.function[op].kind
  var x = try a.integers(before: op, &context)
  let zero = a.zeros[0]
  if var conv = kind as? Conv, zero != 0, conv.padding.contains(where: { $0 != 0 }) {
    // What padding adds means zero, which is the zero point.
    let axes = shape.count - 2
    let (before, after) = (Array(conv.padding[..<axes]), Array(conv.padding[axes...]))
    let pad = Pad(before: [0] + before + [0], after: [0] + after + [0], value: Double(zero))
    x = try context.insert(pad, [x], before: op)[0]
    conv.padding = []
    kind = conv
  }
  let stored = try context.insert(weights.tensor, after: b.root, before: op)
  var operands: [ValueID?] = [x, stored]
  // (x - zx) (w - zw) is x w - zx w - zw x + zx zw, summed.
  var less = weights.sums.map { 0 &- $0 &* zero }
  for (channel, own) in weights.zeros.enumerated() { less[channel] += weights.depth * zero * own }
  if less.contains(where: { $0 != 0 }) {
    operands.append(try context.insert(Tensor(.i32, [less.count], integers: less), before: op))
  }
  var sums = try context.insert(kind, operands, before: op)[0]
  if !weights.zeros.isEmpty {
    let all = try context.sums(of: x, like: kind, weights.tensor, before: op)
    let row = try context.insert(Tensor(.i32, [weights.zeros.count], integers: weights.zeros), before: op)
    let share = try context.insert(Binary(.mul), [all, row], before: op)[0]
    sums = try context.insert(Binary(.sub), [sums, share], before: op)[0]
  }
  let scales = weights.scales.map { Double($0 * a.scales[0]) }
  let isOne = scales.allSatisfy { $0 == scales[0] }
  let row = isOne ? Tensor(.f32, [], doubles: [scales[0]]) : Tensor(.f32, [scales.count], doubles: scales)
  var result = try context.insert(
    Dequantize(to: .f32, axis: -1), [sums, try context.insert(row, before: op)], before: op)[0]
  if let bias = context.operand(op, 2) { result = try context.insert(Binary(.add), [result, bias], before: op)[0] }
  try context.replace(op, with: [result])
  return true
}

/// The axis of the weights that counts the channels of the result; nil where they are not laid out by channel.
private func outputAxis(of op: OpID, _ context: PassContext) -> Int? {
  guard let weights = context.operand(op, 1), let rank = context.shape(weights)?.count else { return nil }
  if let conv = context.kind(op, Conv.self) { return conv.kernel.isEmpty ? 0 : nil }
  guard let matmul = context.kind(op, MatMul.self), rank == 2, !matmul.transposeLHS else { return nil }
  return matmul.transposeRHS ? 0 : 1
}

/// `quantize (move (dequantize x))` by the same parameters moves integers; so does the greatest element of a window.
private let movedIntegers = RewritePattern("moved-integers", roots: ["quantize"]) { op, context throws(Diagnostic) in
  guard let x = context.operand(op, 0), let source = QuantizedSource(x, context, throughPools: true),
    !source.moves.isEmpty, case .quantized(let stored, let name) = source.element,
    let result = context.function[op].results.first,
    context.function.tensorType(result)?.element == .quantized(stored, name), source.scales.count == 1
  else { return false }
  guard context.permit("moved-integers", at: op) else { return false }
  let integers = try source.integers(before: op, &context)
  let moved = try context.insert(BitCast(to: .quantized(stored, name)), [integers], before: op)
  try context.replace(op, with: moved)
  return true
}

extension PassContext {
  /// The sums of all numbers that a product multiplies with one channel of its weights, as one channel.
  fileprivate mutating func sums(
    of x: ValueID, like kind: any OpKind, _ weights: Tensor, before op: OpID
  ) throws(Diagnostic) -> ValueID {
    if kind is Conv {
      let shape = [1] + weights.shape.dropFirst()
      let ones = Tensor(.i8, shape, integers: Array(repeating: 1, count: shape.reduce(1, *)))
      return try insert(kind, [x, try insert(ones, before: op)], before: op)[0]
    }
    let wide = try insert(Cast(to: .i32), [x], before: op)[0]
    let last = (shape(x)?.count ?? 1) - 1
    return try insert(Reduce(.sum, axes: [last], keepDims: true), [wide], before: op)[0]
  }

  /// A constant in front of `op`, as a weight beside the one it was made from where it is large.
  fileprivate mutating func insert(_ tensor: Tensor, after root: String?, before op: OpID) throws(Diagnostic) -> ValueID
  {
    if let root, tensor.bytes.count > limits.inlineConstantBytes,
      let weight = addWeight(tensor, after: root, origin: "\(root) as integers", growth: 0)
    {
      return weight
    }
    return try insert(tensor, before: op)
  }
}

import IR
import Support

/// `transpose x {permutation = [0, 1, 2]}` is `x`.
let identityTranspose = RewritePattern.forwarding("identity-transpose", roots: ["transpose"]) { op, context in
  guard let kind = context.kind(op, Transpose.self), kind.permutation == Array(kind.permutation.indices) else {
    return nil
  }
  return context.operand(op, 0)
}

/// `transpose (transpose x {p}) {q}` is one transpose.
let composeTransposes = RewritePattern.rebuilding("compose-transposes", roots: ["transpose"]) { op, context in
  guard let outer = context.kind(op, Transpose.self),
    let inner = context.producer(of: context.operand(op, 0), Transpose.self), let x = context.operand(inner.op, 0)
  else { return nil }
  let composed = outer.permutation.map { inner.kind.permutation[$0] }
  return .init(kind: Transpose(permutation: composed), operands: [x], absorbed: [inner.op])
}

/// A transpose that keeps the order of all axes but those of extent 1 moves nothing: it is a reshape.
let unitTransposeIsReshape = RewritePattern.rebuilding("unit-transpose-is-reshape", roots: ["transpose"]) {
  op, context in
  guard let kind = context.kind(op, Transpose.self), kind.permutation != Array(kind.permutation.indices),
    let x = context.operand(op, 0), let type = context.function.tensorType(x), type.layout == nil,
    case .plain = type.element, !movesData(kind.permutation, type.shape)
  else { return nil }
  return .init(kind: Reshape(shape: kind.permutation.map { type.shape[$0] }), operands: [x])
}

/// A transpose of the last two axes is a flag of the matmul that reads it. Constants are left to folding.
let transposeIntoMatMul = RewritePattern.rebuilding("transpose-into-matmul", roots: ["matmul"]) { op, context in
  guard var kind = context.kind(op, MatMul.self) else { return nil }
  var operands = context.function[op].operands
  var absorbed: [OpID] = []
  for number in 0...1 {
    guard let source = context.producer(of: operands[number], Transpose.self), let x = context.operand(source.op, 0),
      context.constant(x) == nil, swapsLastAxes(source.kind.permutation)
    else { continue }
    operands[number] = x
    absorbed.append(source.op)
    if number == 0 { kind.transposeLHS.toggle() } else { kind.transposeRHS.toggle() }
  }
  return absorbed.isEmpty ? nil : .init(kind: kind, operands: operands, absorbed: absorbed)
}

private func swapsLastAxes(_ permutation: [Int]) -> Bool {
  let rank = permutation.count
  guard rank >= 2 else { return false }
  return permutation == Array(0..<rank - 2) + [rank - 1, rank - 2]
}

/// Whether a transpose changes the order of elements in memory.
func movesData(_ permutation: [Int], _ shape: [Dim]) -> Bool {
  let moved = permutation.filter { shape[$0].constant != 1 }
  return zip(moved, moved.dropFirst()).contains { $0 > $1 }
}

import IR
import Support

/// A slice that takes everything in order is its operand.
let identitySlice = RewritePattern.forwarding("identity-slice", roots: ["slice"]) { op, context in
  guard let kind = context.kind(op, Slice.self), let x = context.operand(op, 0), let shape = context.shape(x),
    kind.starts.allSatisfy({ $0.constant == 0 }), kind.sizes == shape
  else { return nil }
  for (axis, step) in kind.steps.enumerated() where step != 1 && shape[axis].constant != 1 { return nil }
  return x
}

/// A slice of a slice is one slice, where both go forwards one by one.
let composeSlices = RewritePattern.rebuilding("compose-slices", roots: ["slice"]) { op, context in
  guard let outer = context.kind(op, Slice.self),
    let inner = context.producer(of: context.operand(op, 0), Slice.self), let x = context.operand(inner.op, 0),
    outer.steps.allSatisfy({ $0 == 1 }), inner.kind.steps.allSatisfy({ $0 == 1 })
  else { return nil }
  let starts = zip(inner.kind.starts, outer.starts).map { $0 + $1 }
  return .init(
    kind: Slice(starts: starts, sizes: outer.sizes, steps: outer.steps), operands: [x], absorbed: [inner.op])
}

/// Padding by nothing.
let identityPad = RewritePattern.forwarding("identity-pad", roots: ["pad"]) { op, context in
  guard let kind = context.kind(op, Pad.self), kind.before.allSatisfy({ $0 == 0 }), kind.after.allSatisfy({ $0 == 0 })
  else { return nil }
  return context.operand(op, 0)
}

/// `concat x` alone is `x`.
let concatOfOne = RewritePattern.forwarding("concat-of-one", roots: ["concat"]) { op, context in
  context.function[op].operands.count == 1 ? context.operand(op, 0) : nil
}

/// Parts without elements add nothing to a concatenation.
let concatWithoutEmpty = RewritePattern.rebuilding("concat-without-empty", roots: ["concat"]) { op, context in
  guard let kind = context.kind(op, Concat.self) else { return nil }
  let operands = context.function[op].operands
  let kept = operands.filter { operand in
    guard let operand, let shape = context.shape(operand), !shape.isEmpty else { return true }
    let axis = kind.axis < 0 ? kind.axis + shape.count : kind.axis
    return !(shape.indices.contains(axis) && shape[axis].constant == 0)
  }
  guard kept.count < operands.count, !kept.isEmpty else { return nil }
  return .init(kind: kind, operands: kept)
}

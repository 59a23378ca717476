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

/// A slice of a slice is one slice.
let composeSlices = RewritePattern.rebuilding("compose-slices", roots: ["slice"]) { op, context in
  guard let outer = context.kind(op, Slice.self),
    let inner = context.producer(of: context.operand(op, 0), Slice.self), let x = context.operand(inner.op, 0)
  else { return nil }
  let axes = outer.starts.indices
  return .init(
    kind: Slice(
      starts: axes.map { inner.kind.starts[$0] + outer.starts[$0] * Dim(inner.kind.steps[$0]) }, sizes: outer.sizes,
      steps: axes.map { Dim.multiply(inner.kind.steps[$0], outer.steps[$0]) }),
    operands: [x], absorbed: [inner.op])
}

/// Taking constant places with equal distances is a slice, and a reshape where one place alone loses its axis.
let gatherIsSlice = RewritePattern("gather-is-slice", roots: ["gather"]) { op, context throws(Diagnostic) in
  guard let kind = context.kind(op, Gather.self), let x = context.operand(op, 0), context.constant(x) == nil,
    let tensor = context.operand(op, 1).flatMap({ context.constant($0) }), tensor.shape.count <= 1,
    (1...4096).contains(tensor.count), let shape = context.shape(x)
  else { return false }
  let axis = kind.axis < 0 ? kind.axis + shape.count : kind.axis
  let places = tensor.integers()
  let step = places.count > 1 ? places[1] &- places[0] : 1
  guard places.allSatisfy({ $0 >= 0 }) || places.allSatisfy({ $0 < 0 }), step != 0,
    zip(places, places.dropFirst()).allSatisfy({ $1 &- $0 == step })
  else {
    context.missed("gather-is-slice", at: op, "the places are not at equal distances")
    return false
  }
  var slice = Slice(starts: shape.map { _ in 0 }, sizes: shape, steps: shape.map { _ in 1 })
  slice.starts[axis] = places[0] < 0 ? shape[axis] + Dim(places[0]) : Dim(places[0])
  (slice.sizes[axis], slice.steps[axis]) = (Dim(places.count), step)
  let result = context.function[op].results[0]
  guard context.inferred(slice, [x]) != nil, context.permit("gather-is-slice", at: op) else { return false }
  var value = try context.insert(slice, [x], before: op)[0]
  if tensor.shape.isEmpty {
    value = try context.insert(Reshape(shape: context.shape(result) ?? []), [value], before: op)[0]
  }
  try context.replace(op, with: [value])
  return true
}

/// Padding by nothing.
let identityPad = RewritePattern.forwarding("identity-pad", roots: ["pad"]) { op, context in
  guard let kind = context.kind(op, Pad.self), kind.before.allSatisfy({ $0 == 0 }), kind.after.allSatisfy({ $0 == 0 })
  else { return nil }
  return context.operand(op, 0)
}

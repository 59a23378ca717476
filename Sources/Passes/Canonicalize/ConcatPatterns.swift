import IR
import Support

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

/// `concat (concat x, y), z` is `concat x, y, z`.
let concatOfConcats = RewritePattern.rebuildingTold("concat-of-concats", roots: ["concat"]) { op, context in
  guard let kind = context.kind(op, Concat.self) else { return nil }
  var operands: [ValueID?] = []
  var absorbed: [OpID] = []
  for operand in context.function[op].operands {
    if let operand, let inner = context.producer(of: operand, Concat.self), let rank = context.shape(operand)?.count,
      (inner.kind.axis < 0 ? inner.kind.axis + rank : inner.kind.axis)
        == (kind.axis < 0 ? kind.axis + rank : kind.axis)
    {
      if context.useCount(operand) == 1 {
        operands += context.function[inner.op].operands
        absorbed.append(inner.op)
        continue
      }
      context.missed("concat-of-concats", at: op, "a part", usesOf: operand)
    }
    operands.append(operand)
  }
  return absorbed.isEmpty ? nil : .init(kind: kind, operands: operands, absorbed: absorbed)
}

/// Neighbouring slices of one value that stand side by side are one slice: what was split is joined again.
let concatOfSlices = RewritePattern("concat-of-slices", roots: ["concat"]) { op, context throws(Diagnostic) in
  let operands = context.function[op].operands.compactMap { $0 }
  guard let kind = context.kind(op, Concat.self), operands.count > 1,
    let shape = context.shape(context.function[op].results[0])
  else { return false }
  let axis = kind.axis < 0 ? kind.axis + shape.count : kind.axis
  for place in operands.indices.dropLast() {
    guard let a = context.producer(of: operands[place], Slice.self),
      let b = context.producer(of: operands[place + 1], Slice.self), let x = context.operand(a.op, 0),
      context.operand(b.op, 0) == x
    else { continue }
    var joined = a.kind
    joined.sizes[axis] = a.kind.sizes[axis] + b.kind.sizes[axis]
    var second = b.kind
    (second.starts[axis], second.sizes[axis]) = (joined.starts[axis], joined.sizes[axis])
    guard a.kind.steps[axis] == 1, b.kind.steps == a.kind.steps, second.starts == joined.starts,
      second.sizes == joined.sizes, a.kind.starts[axis] + a.kind.sizes[axis] == b.kind.starts[axis]
    else {
      context.missed("concat-of-slices", at: op, "parts \(place) and \(place + 1) are no neighbours")
      continue
    }
    guard context.inferred(joined, [x]) != nil, context.permit("concat-of-slices", at: op) else { return false }
    let locations = context.locations(of: [a.op, b.op, op])
    let whole = try context.insert(joined, [x], locations: locations, at: .before(op))[0]
    let parts: [ValueID?] = Array(operands[..<place]) + [whole] + Array(operands[(place + 2)...])
    let result = try context.insert(kind, parts, locations: locations, at: .before(op))
    try context.replace(op, with: result)
    return true
  }
  return false
}

/// A slice of a concatenation that lies inside of one part is a slice of that part.
let sliceOfConcat = RewritePattern.rebuildingTold("slice-of-concat", roots: ["slice"]) { op, context in
  guard var kind = context.kind(op, Slice.self),
    let join = context.producer(of: context.operand(op, 0), Concat.self), !kind.starts.isEmpty
  else { return nil }
  let axis = join.kind.axis < 0 ? join.kind.axis + kind.starts.count : join.kind.axis
  guard let first = kind.starts[axis].constant, let size = kind.sizes[axis].constant, size > 0,
    let last = (kind.starts[axis] + (kind.sizes[axis] - 1) * Dim(kind.steps[axis])).constant
  else { return nil }
  var offset = 0
  for case let part? in context.function[join.op].operands {
    guard let extent = context.shape(part)?[axis].constant else { return nil }
    if min(first, last) >= offset, max(first, last) < offset + extent {
      kind.starts[axis] = Dim(first - offset)
      return .init(kind: kind, operands: [part], absorbed: [join.op])
    }
    offset += extent
  }
  context.missed("slice-of-concat", at: op, "it takes of more than one part")
  return nil
}

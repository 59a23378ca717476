import IR
import Support

/// Rebuilds rotary positions where a model spells them out.
///
///     %1 = slice %x {starts = [0, 0, 0, 0], sizes = [1, 12, n, 32], ...}  : f32[1, 12, n, 32]
///     %2 = slice %x {starts = [0, 0, 0, 32], sizes = [1, 12, n, 32], ...} : f32[1, 12, n, 32]
///     %3 = neg %2                                                         : f32[1, 12, n, 32]
///     %4 = concat %3, %1 {axis = 3}                                       : f32[1, 12, n, 64]
///     %5 = mul %x, %cos                                                   : f32[1, 12, n, 64]
///     %6 = mul %4, %sin                                                   : f32[1, 12, n, 64]
///     %7 = add %5, %6                                                     : f32[1, 12, n, 64]
///
/// becomes, where both halves of the tables are equal,
///
///     %7 = rope %x, %cos', %sin' : f32[1, 12, n, 64]
///
/// with the first halves of the tables. The halves may also be turned one by one and joined, `concat (a cos - b sin),
/// (b cos + a sin)`, and so may neighbours that were taken apart, for the interleaved form. Elements behind those that
/// turn, joined to the result, become part of it. Where heads are transposed in front of positions for it, that comes
/// behind instead, so that attention finds it.
public let rebuildRope = GraphPass(
  "rebuild-rope", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)),
  "rebuilds rotary positions that are spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([
    turnedHalvesToRope, joinedHalvesToRope, joinedNeighboursToRope, restIntoRope, ropeBeforeTranspose,
  ])
}

/// `x cos + rotated(x) sin`
private let turnedHalvesToRope = RewritePattern("turned-halves-to-rope", roots: ["add"]) {
  op, context throws(Diagnostic) in
  for (left, right) in context.pairs(op) {
    guard let a = context.producer(of: left, Binary.self), a.kind.function == .mul,
      let b = context.producer(of: right, Binary.self), b.kind.function == .mul
    else { return false }
    for (turned, sines) in context.pairs(b.op) {
      guard let halves = TurnedHalves(turned, context) else { continue }
      for (x, cosines) in context.pairs(a.op) where x == halves.x {
        guard let shape = context.shape(x), let width = shape.last?.constant, width % 2 == 0 else { continue }
        for table in [cosines, sines] {
          guard repeatsHalf(table, width / 2, context) else {
            context.missed("turned-halves-to-rope", at: op, "the halves of a table are not known to be equal")
            return false
          }
        }
        guard fits([cosines, sines], shape, pairs: width, context),
          context.permit("turned-halves-to-rope", at: op)
        else { return false }
        let tables = [
          try firstHalf(of: cosines, width / 2, before: op, &context),
          try firstHalf(of: sines, width / 2, before: op, &context),
        ]
        let result = try context.insert(
          Rope(interleaved: false), [x] + tables, locations: context.locations(of: [a.op, b.op] + halves.ops + [op]),
          at: .before(op))
        try context.replace(op, with: result)
        return true
      }
    }
  }
  return false
}

/// `concat (neg b), a` of the halves of `x`.
private struct TurnedHalves {
  let x: ValueID
  let ops: [OpID]

  init?(_ value: ValueID, _ context: PassContext) {
    guard let join = context.producer(of: value, Concat.self), context.function[join.op].operands.count == 2,
      let minus = context.producer(of: context.operand(join.op, 0), Unary.self), minus.kind.function == .neg,
      let second = context.operand(minus.op, 0).flatMap({ RowPart($0, context) }),
      let first = context.operand(join.op, 1).flatMap({ RowPart($0, context) }), first.x == second.x,
      let shape = context.shape(value), join.kind.axis == -1 || join.kind.axis == shape.count - 1,
      let width = context.shape(first.x)?.last?.constant, first.start == 0, first.step == 1, second.step == 1,
      width == 2 * first.size, second.start == first.size, second.size == first.size
    else { return nil }
    x = first.x
    ops = [second.op, minus.op, first.op, join.op]
  }
}

/// Elements of the last axis, all others taken whole.
struct RowPart {
  let x: ValueID
  let op: OpID
  let start: Int
  let size: Int
  let step: Int

  init?(_ value: ValueID, _ context: PassContext) {
    guard let slice = context.producer(of: value, Slice.self), let x = context.operand(slice.op, 0),
      let shape = context.shape(x), let last = shape.indices.last, let start = slice.kind.starts[last].constant,
      let size = slice.kind.sizes[last].constant
    else { return nil }
    for axis in 0..<last {
      guard slice.kind.starts[axis] == 0, slice.kind.sizes[axis] == shape[axis] else { return nil }
      guard slice.kind.steps[axis] == 1 || shape[axis] == 1 else { return nil }
    }
    self.x = x
    op = slice.op
    (self.start, self.size) = (start, size)
    step = slice.kind.steps[last]
  }
}

/// The two products of `a cos - b sin` and `b cos + a sin`.
private struct TurnedPair {
  let a: ValueID
  let b: ValueID
  let cosines: ValueID
  let sines: ValueID
  let ops: [OpID]

  init?(_ first: ValueID, _ second: ValueID, _ context: PassContext) {
    guard let difference = context.producer(of: first, Binary.self), difference.kind.function == .sub,
      let sum = context.producer(of: second, Binary.self), sum.kind.function == .add,
      let ac = context.producer(of: context.operand(difference.op, 0), Binary.self), ac.kind.function == .mul,
      let bs = context.producer(of: context.operand(difference.op, 1), Binary.self), bs.kind.function == .mul
    else { return nil }
    for (a, cosines) in context.pairs(ac.op) {
      for (b, sines) in context.pairs(bs.op) {
        for (left, right) in context.pairs(sum.op) {
          guard let bc = context.producer(of: left, Binary.self), bc.kind.function == .mul,
            let product = context.producer(of: right, Binary.self), product.kind.function == .mul,
            context.pairs(bc.op).contains(where: { $0 == (b, cosines) }),
            context.pairs(product.op).contains(where: { $0 == (a, sines) })
          else { continue }
          (self.a, self.b, self.cosines, self.sines) = (a, b, cosines, sines)
          ops = [ac.op, bs.op, difference.op, bc.op, product.op, sum.op]
          return
        }
      }
    }
    return nil
  }
}

/// `concat (a cos - b sin), (b cos + a sin)` for the halves `a` and `b` of `x`.
private let joinedHalvesToRope = RewritePattern.rebuildingTold("joined-halves-to-rope", roots: ["concat"]) {
  op, context in
  let operands = context.function[op].operands
  guard let kind = context.kind(op, Concat.self), operands.count == 2, let first = operands[0],
    let second = operands[1],
    let rank = context.shape(first)?.count, kind.axis == -1 || kind.axis == rank - 1,
    let pair = TurnedPair(first, second, context), let a = RowPart(pair.a, context), let b = RowPart(pair.b, context),
    a.x == b.x, let shape = context.shape(a.x), a.step == 1, b.step == 1
  else { return nil }
  guard shape.last?.constant == 2 * a.size, a.start == 0, b.start == a.size, b.size == a.size else {
    context.missed("joined-halves-to-rope", at: op, "what turns is not the halves of a row")
    return nil
  }
  guard fits([pair.cosines, pair.sines], shape, pairs: a.size, context) else {
    context.missed("joined-halves-to-rope", at: op, "the tables are not rows of \(a.size) numbers")
    return nil
  }
  return .init(
    kind: Rope(interleaved: false), operands: [a.x, pair.cosines, pair.sines], absorbed: [a.op, b.op] + pair.ops)
}

/// The same for elements of even and odd places, put side by side along a new last axis that is flattened again.
private let joinedNeighboursToRope = RewritePattern.rebuildingTold("joined-neighbours-to-rope", roots: ["reshape"]) {
  op, context in
  guard let join = context.producer(of: context.operand(op, 0), Concat.self),
    case let operands = context.function[join.op].operands, operands.count == 2,
    let first = context.producer(of: operands[0], Reshape.self),
    let second = context.producer(of: operands[1], Reshape.self), let wide = operands[0].flatMap({ context.shape($0) }),
    wide.last == 1, join.kind.axis == -1 || join.kind.axis == wide.count - 1,
    let left = context.operand(first.op, 0), let right = context.operand(second.op, 0),
    context.shape(left) == Array(wide.dropLast()), context.shape(right) == context.shape(left),
    let pair = TurnedPair(left, right, context), let a = Neighbours(pair.a, context),
    let b = Neighbours(pair.b, context), a.x == b.x, a.place == 0, b.place == 1, let shape = context.shape(a.x),
    let width = shape.last?.constant, width % 2 == 0
  else { return nil }
  guard context.shape(context.function[op].results[0]) == shape else {
    context.missed("joined-neighbours-to-rope", at: op, "the result has another shape than what turns")
    return nil
  }
  guard fits([pair.cosines, pair.sines], shape, pairs: width / 2, context) else {
    context.missed("joined-neighbours-to-rope", at: op, "the tables are not rows of \(width / 2) numbers")
    return nil
  }
  return .init(
    kind: Rope(interleaved: true), operands: [a.x, pair.cosines, pair.sines],
    absorbed: a.ops + b.ops + pair.ops + [first.op, second.op, join.op])
}

/// Every second element of a row: a slice with a step of two, or one of the columns of `[..., width / 2, 2]`.
private struct Neighbours {
  let x: ValueID
  let place: Int
  let ops: [OpID]

  init?(_ value: ValueID, _ context: PassContext) {
    if let part = RowPart(value, context), part.step == 2, part.start < 2,
      context.shape(part.x)?.last?.constant == 2 * part.size
    {
      (x, place, ops) = (part.x, part.start, [part.op])
      return
    }
    guard let column = context.producer(of: value, Reshape.self),
      let part = context.operand(column.op, 0).flatMap({ RowPart($0, context) }), part.size == 1,
      let apart = context.producer(of: part.x, Reshape.self), let x = context.operand(apart.op, 0),
      let wide = context.shape(part.x), wide.last == 2, context.shape(value) == Array(wide.dropLast()),
      let shape = context.shape(x), Array(wide.dropLast(2)) == Array(shape.dropLast()), shape.count == wide.count - 1
    else { return nil }
    (self.x, place, ops) = (x, part.start, [apart.op, part.op, column.op])
  }
}

/// `concat (rope (slice x)), (slice x)` is `rope x` where the slices are the start and the rest of a row.
private let restIntoRope = RewritePattern.rebuildingTold("rest-into-rope", roots: ["concat"]) { op, context in
  let operands = context.function[op].operands
  guard let kind = context.kind(op, Concat.self), operands.count == 2,
    let rope = context.producer(of: operands[0], Rope.self),
    let turned = context.operand(rope.op, 0).flatMap({ RowPart($0, context) }),
    let rest = operands[1].flatMap({ RowPart($0, context) }), rest.x == turned.x, let shape = context.shape(rest.x),
    kind.axis == -1 || kind.axis == shape.count - 1, let cosines = context.operand(rope.op, 1),
    let pairs = context.shape(cosines)?.last?.constant
  else { return nil }
  guard turned.start == 0, turned.step == 1, rest.step == 1 || rest.size == 1, rest.start == turned.size,
    shape.last?.constant == turned.size + rest.size, 2 * pairs == turned.size
  else {
    context.missed("rest-into-rope", at: op, "what turns and what stays do not make up a row")
    return nil
  }
  return .init(
    kind: rope.kind, operands: [rest.x, cosines, context.operand(rope.op, 2)], absorbed: [turned.op, rope.op, rest.op])
}

/// `rope (transpose x)` is `transpose (rope x)` for heads and positions that change places.
private let ropeBeforeTranspose = RewritePattern("rope-before-transpose", roots: ["rope"]) {
  op, context throws(Diagnostic) in
  guard let rope = context.kind(op, Rope.self), let value = context.operand(op, 0),
    let turn = context.producer(of: value, Transpose.self), turn.kind.permutation == [0, 2, 1, 3],
    let x = context.operand(turn.op, 0)
  else { return false }
  guard context.useCount(value) == 1 else {
    context.missed("rope-before-transpose", at: op, "the transpose", usesOf: value)
    return false
  }
  var tables: [(value: ValueID, shape: [Dim])] = []
  for number in 1...2 {
    guard let table = context.operand(op, number), var shape = context.shape(table), shape.count >= 2 else {
      return false
    }
    // All heads must share the tables.
    if shape.count > 2 {
      guard shape.remove(at: shape.count - 3) == 1 else {
        context.missed("rope-before-transpose", at: op, "heads have tables of their own")
        return false
      }
    }
    shape.insert(1, at: shape.count - 1)
    tables.append((table, shape))
  }
  guard context.permit("rope-before-transpose", at: op) else { return false }
  var operands: [ValueID?] = [x]
  for table in tables { operands += try context.insert(Reshape(shape: table.shape), [table.value], before: op) }
  let locations = context.locations(of: [turn.op, op])
  let turned = try context.insert(rope, operands, locations: locations, at: .before(op))
  let result = try context.insert(turn.kind, turned, locations: locations, at: .before(op))
  try context.replace(op, with: result)
  return true
}

/// Whether tables are rows of so many numbers that stretch to the rows of `x`.
private func fits(_ tables: [ValueID], _ shape: [Dim], pairs: Int, _ context: PassContext) -> Bool {
  tables.allSatisfy { table in
    guard let own = context.shape(table), own.last?.constant == pairs, own.count <= shape.count else { return false }
    return zip(own.dropLast(), shape.dropLast().suffix(own.count - 1)).allSatisfy {
      $0 == 1 || context.provablyEqual($0, $1)
    }
  }
}

/// Whether the last axis holds `half` elements twice.
private func repeatsHalf(_ value: ValueID, _ half: Int, _ context: PassContext, depth: Int = 0) -> Bool {
  guard depth < 16, context.shape(value)?.last?.constant == 2 * half else { return false }
  if let tensor = context.constant(value) {
    guard tensor.storage?.isFloat ?? false, tensor.count <= 1 << 24 else { return false }
    let numbers = tensor.doubles()
    return stride(from: 0, to: numbers.count, by: 2 * half).allSatisfy {
      numbers[$0..<$0 + half] == numbers[$0 + half..<$0 + 2 * half]
    }
  }
  guard let op = context.function.definingOp(value) else { return false }
  let operation = context.function[op]
  func repeats(_ number: Int) -> Bool {
    context.operand(op, number).map { repeatsHalf($0, half, context, depth: depth + 1) } ?? false
  }
  func isOne(_ number: Int) -> Bool {
    guard let shape = context.operand(op, number).flatMap({ context.shape($0) }) else { return false }
    return shape.isEmpty || shape.last == 1
  }
  switch operation.kind {
  case let join as Concat:
    guard let rank = context.shape(value)?.count else { return false }
    if join.axis == -1 || join.axis == rank - 1 {
      return operation.operands.count == 2 && operation.operands[0] == operation.operands[1]
    }
    return operation.operands.indices.allSatisfy { repeats($0) }
  case is Unary, is Cast: return repeats(0)
  case is Binary: return (repeats(0) || isOne(0)) && (repeats(1) || isOne(1))
  case is Reshape, is Broadcast: return repeats(0)
  case let turn as Transpose: return turn.permutation.last == turn.permutation.count - 1 && repeats(0)
  case let gather as Gather:
    guard let rank = context.operand(op, 0).flatMap({ context.shape($0)?.count }) else { return false }
    return (gather.axis < 0 ? gather.axis + rank : gather.axis) < rank - 1 && repeats(0)
  case is Slice:
    guard let x = context.operand(op, 0), context.shape(x)?.last?.constant == 2 * half else { return false }
    return repeats(0)
  default: return false
  }
}

private func firstHalf(
  of table: ValueID, _ half: Int, before op: OpID, _ context: inout PassContext
) throws(Diagnostic) -> ValueID {
  guard let shape = context.shape(table) else { throw .bug("a table without a shape") }
  let sizes = shape.dropLast() + [Dim(half)]
  let kind = Slice(
    starts: shape.map { _ in 0 }, sizes: Array(sizes), steps: shape.map { _ in 1 })
  return try context.insert(kind, [table], before: op)[0]
}

import IR
import Support

/// A reshape, cast, broadcast or slice that changes nothing is its operand.
let identityReshape = RewritePattern.forwarding("identity-reshape", roots: ["reshape"]) { op, context in
  context.operand(op, 0)
}

/// `reshape (reshape x)` is one reshape.
let composeReshapes = RewritePattern.rebuilding("compose-reshapes", roots: ["reshape"]) { op, context in
  guard let outer = context.kind(op, Reshape.self),
    let inner = context.producer(of: context.operand(op, 0), Reshape.self), let x = context.operand(inner.op, 0)
  else { return nil }
  return .init(kind: outer, operands: [x], absorbed: [inner.op])
}

/// `broadcast` to the shape that `x` has.
let identityBroadcast = RewritePattern.forwarding("identity-broadcast", roots: ["broadcast"]) { op, context in
  context.operand(op, 0)
}

/// `broadcast (broadcast x)` is one broadcast.
let composeBroadcasts = RewritePattern.rebuilding("compose-broadcasts", roots: ["broadcast"]) { op, context in
  guard let outer = context.kind(op, Broadcast.self),
    let inner = context.producer(of: context.operand(op, 0), Broadcast.self), let x = context.operand(inner.op, 0)
  else { return nil }
  return .init(kind: outer, operands: [x], absorbed: [inner.op])
}

/// An elementwise op broadcasts by itself: `add x, (broadcast y)` is `add x, y` where the other operand has the shape.
let broadcastIntoElementwise = RewritePattern.rebuilding(
  "broadcast-into-elementwise", roots: Binary.mnemonics + Compare.mnemonics + Select.mnemonics
) { op, context in
  let operation = context.function[op]
  for (number, operand) in operation.operands.enumerated() {
    guard let broadcast = context.producer(of: operand, Broadcast.self), let x = context.operand(broadcast.op, 0)
    else { continue }
    var operands = operation.operands
    operands[number] = x
    // Guards that the broadcast did not need would be new ways to fail.
    guard let facts = context.infersWithoutGuards(operation.kind, operands),
      facts.map(\.type) == operation.results.map({ context.function.type($0) })
    else { continue }
    return .init(kind: operation.kind, operands: operands)
  }
  return nil
}

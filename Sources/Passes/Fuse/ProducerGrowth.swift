import IR

/// Grows a root upwards by the elementwise ops that only the group reads, so that one value leaves: the root's.
struct ProducerGrowth {
  private(set) var ops: [OpID]
  private(set) var misses: [(op: OpID, reason: String)] = []

  /// `shape` is what the producers must have: the root's own, or that of what a reduction reads.
  init(from root: OpID, shape: [Dim], _ positions: BlockPositions, isTaken: (OpID) -> Bool, _ context: PassContext) {
    ops = [root]
    var inside: Set<OpID> = [root]
    var isQueued: Set<OpID> = [root]
    var candidates: [OpID] = []
    let block = context.function[root].block
    func enqueue(_ op: OpID) {
      for case let operand? in context.function[op].operands {
        guard let producer = context.function.definingOp(operand), context.function[producer].block == block,
          isQueued.insert(producer).inserted
        else { continue }
        candidates.append(producer)
      }
    }
    enqueue(root)
    // Latest first: every reader inside has joined before its producer is judged.
    while let index = candidates.indices.max(by: { positions[candidates[$0]] < positions[candidates[$1]] }) {
      let op = candidates.remove(at: index)
      let operation = context.function[op]
      guard FusibleOps.isElementwise(operation.kind), !isTaken(op) else { continue }
      if let reason = ProducerGrowth.obstacle(op, shape, inside, context) {
        misses.append((op, reason))
        continue
      }
      if ops.count >= context.limits.fusionOps {
        misses.append((op, "the fusion has \(ops.count) ops already"))
        break
      }
      ops.append(op)
      inside.insert(op)
      enqueue(op)
    }
    ops.sort { positions[$0] < positions[$1] }
  }

  private static func obstacle(_ op: OpID, _ shape: [Dim], _ inside: Set<OpID>, _ context: PassContext) -> String? {
    let result = context.function[op].results[0]
    guard context.shape(result) == shape else { return "shape differs" }
    for use in context.function[result].uses {
      guard case .operand(let user, _) = use, inside.contains(user) else {
        return "the result of \(context.function[op].kind.mnemonic) has \(context.useCount(result)) uses"
      }
    }
    return nil
  }
}

import IR

/// Grows a contraction by the elementwise ops that follow it.
///
/// Candidates join in program order; what counts is the last moment at which exactly
/// one value was read outside, so that diamonds (`x * sigmoid(x)`) fuse as a whole or not at all.
struct EpilogueGrowth {
  private let positions: BlockPositions
  private let shape: [Dim]
  private let block: BlockID
  private(set) var joined: [OpID]
  private var inside: Set<OpID>
  private var isQueued: Set<OpID> = []
  private var candidates: [OpID] = []
  /// Reads of each joined op's result from outside.
  private var outsideUses: [ValueID: Int] = [:]
  private var escaping: Set<ValueID> = []
  private var best: (count: Int, output: ValueID)?
  /// Nearest misses: which op, and why.
  private(set) var misses: [(op: OpID, reason: String)] = []

  /// Values looked at to make sure that an operand does not depend on the group.
  private static let searchLimit = 256

  init?(from root: OpID, _ positions: BlockPositions, isTaken: (OpID) -> Bool, _ context: PassContext) {
    let operation = context.function[root]
    guard operation.results.count == 1, let shape = context.shape(operation.results[0]) else { return nil }
    self.positions = positions
    self.shape = shape
    block = operation.block
    joined = []
    inside = []
    join(root, context)
    while let next = takeFirstCandidate() {
      if isTaken(next) { continue }
      if joined.count >= context.limits.fusionOps {
        misses.append((next, "the fusion has \(joined.count) ops already"))
        break
      }
      if let reason = obstacle(next, context) { misses.append((next, reason)) } else { join(next, context) }
    }
    noteLeftOut(context)
  }

  /// The group, when more than the root joined.
  var group: (ops: [OpID], output: ValueID)? {
    guard let best, best.count > 1 else { return nil }
    return (Array(joined[..<best.count]), best.output)
  }

  /// An op that fits but had to stay out, because a value inside is read elsewhere too, is a miss.
  private mutating func noteLeftOut(_ context: PassContext) {
    let kept = max(best?.count ?? 0, 1)
    guard kept < joined.count else { return }
    let last = context.function[joined[kept - 1]]
    let uses = context.useCount(last.results[0])
    misses.append((joined[kept], "the result of \(last.kind.mnemonic) has \(uses) uses"))
  }

  private mutating func join(_ op: OpID, _ context: PassContext) {
    joined.append(op)
    inside.insert(op)
    for case let operand? in context.function[op].operands {
      guard let outside = outsideUses[operand] else { continue }
      outsideUses[operand] = outside - 1
      if outside == 1 { escaping.remove(operand) }
    }
    let result = context.function[op].results[0]
    outsideUses[result] = context.useCount(result)
    escaping.insert(result)
    if escaping.count == 1, let output = escaping.first { best = (joined.count, output) }
    // With more readers than a fusion may hold, the value would leave it anyway.
    guard context.useCount(result) <= 2 * context.limits.fusionOps else { return }
    for use in context.function[result].uses {
      guard case .operand(let user, _) = use, context.function[user].block == block else { continue }
      if isQueued.insert(user).inserted { candidates.append(user) }
    }
  }

  /// The earliest candidate: what it reads from the group has joined before.
  private mutating func takeFirstCandidate() -> OpID? {
    guard let index = candidates.indices.min(by: { positions[candidates[$0]] < positions[candidates[$1]] }) else {
      return nil
    }
    return candidates.remove(at: index)
  }

  private func obstacle(_ op: OpID, _ context: PassContext) -> String? {
    let operation = context.function[op]
    guard FusibleOps.isElementwise(operation.kind), operation.results.count == 1 else {
      return "\(operation.kind.mnemonic) is not elementwise"
    }
    guard context.shape(operation.results[0]) == shape else { return "shape differs" }
    for case let operand? in operation.operands {
      if let definition = context.function.definingOp(operand), inside.contains(definition) { continue }
      guard let other = context.shape(operand) else { return "an operand is no tensor" }
      if let misfit = FusibleOps.misfit(other, besides: shape) { return misfit }
      if dependsOnGroup(operand, context) { return "an operand depends on the fusion by another way" }
    }
    return nil
  }

  /// Searches backwards from a value; too long a search counts as dependence.
  private func dependsOnGroup(_ value: ValueID, _ context: PassContext) -> Bool {
    guard let first = joined.first else { return false }
    let start = positions[first]
    var seen: Set<OpID> = []
    var pending = [value]
    while let next = pending.popLast() {
      guard let definition = context.function.definingOp(next),
        let op = positions.enclosing(definition, in: block, context.function), positions[op] > start,
        seen.insert(op).inserted
      else { continue }
      if inside.contains(op) || seen.count > EpilogueGrowth.searchLimit { return true }
      // What an op's regions capture is among its inputs.
      pending.append(contentsOf: context.function.inputs(of: op))
    }
    return false
  }
}

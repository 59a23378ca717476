import IR

/// The ops of a block that could all work on permuted data, found from one value, and what each choice costs.
struct LayoutComponent {
  /// Each op with the way it would follow, in the order found.
  private(set) var members: [OpID: LayoutRule] = [:]
  /// The permutation each value would have.
  private(set) var permutations: [ValueID: [Int]] = [:]
  private let block: BlockID
  private static let limit = 20_000

  init(around seed: ValueID, permuted permutation: [Int], in block: BlockID, _ context: PassContext) {
    self.block = block
    permutations[seed] = permutation
    var pending = [seed]
    while let value = pending.popLast(), members.count < LayoutComponent.limit {
      guard let p = permutations[value] else { continue }
      if let producer = context.function.definingOp(value) {
        admit(producer, from: .result(p), context, &pending)
      }
      for use in context.function[value].uses.sorted(by: LayoutComponent.precedes) {
        if case .operand(let user, let number) = use { admit(user, from: .operand(number, p), context, &pending) }
      }
    }
  }

  /// Sets have no order of their own, but equal inputs give equal outputs.
  private static func precedes(_ a: Use, _ b: Use) -> Bool {
    switch (a, b) {
    case (.operand(let x, let i), .operand(let y, let j)): return (x.number, i) < (y.number, j)
    case (.operand, .yield): return true
    case (.yield, .operand): return false
    case (.yield(let x, let i), .yield(let y, let j)): return (x.number, i) < (y.number, j)
    }
  }

  private mutating func admit(
    _ op: OpID, from origin: LayoutRule.Origin, _ context: PassContext, _ pending: inout [ValueID]
  ) {
    guard members[op] == nil, context.function[op].block == block,
      let rule = LayoutRule(op, from: origin, in: context)
    else { return }
    let operation = context.function[op]
    var wanted: [(ValueID, [Int])] = [(operation.results[0], rule.result)]
    for (operand, role) in zip(operation.operands, rule.operands) {
      guard let operand, case .follows(let p) = role, !context.isFoldable(operand) else { continue }
      wanted.append((operand, p))
    }
    // A value has one permutation; an op that wants two stays outside.
    for (value, p) in wanted { if let known = permutations[value], known != p { return } }
    for (number, (value, p)) in wanted.enumerated() {
      if wanted[..<number].contains(where: { $0.0 == value && $0.1 != p }) { return }
    }
    let added = wanted.map(\.0).filter { permutations[$0] == nil }
    guard !added.contains(where: { closesTranspose($0, beside: added, context) }) else { return }
    members[op] = rule
    for (value, p) in wanted where permutations[value] == nil {
      permutations[value] = p
      pending.append(value)
    }
  }

  /// Whether a transpose would lie inside, with both ends free to turn: what it costs would depend on two choices at
  /// once, which no cut can express.
  private func closesTranspose(_ value: ValueID, beside added: [ValueID], _ context: PassContext) -> Bool {
    func isInside(_ other: ValueID) -> Bool { permutations[other] != nil || added.contains(other) }
    if let source = context.producer(of: value, Transpose.self), let x = context.operand(source.op, 0), isInside(x) {
      return true
    }
    return context.function[value].uses.contains { use in
      guard case .operand(let user, _) = use, context.function[user].kind is Transpose else { return false }
      return isInside(context.function[user].results[0])
    }
  }
}

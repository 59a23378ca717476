import IR
import Support

extension PassContext {
  /// A constant, or one under transposes and reshapes: folding stores it in whatever order is wanted.
  func isFoldable(_ value: ValueID) -> Bool {
    var current = value
    while let op = function.definingOp(current), function[op].kind is Transpose || function[op].kind is Reshape,
      let source = operand(op, 0)
    { current = source }
    return constant(current) != nil
  }
}

/// Rebuilds the chosen ops of a component on permuted data.
struct LayoutRewrite {
  private let component: LayoutComponent
  private let chosen: Set<OpID>
  /// The permuted version of each value that has one by now.
  private var turned: [ValueID: ValueID] = [:]

  init(_ component: LayoutComponent, _ chosen: Set<OpID>) {
    self.component = component
    self.chosen = chosen
  }

  /// `positions` orders the ops; what replaces one takes its place.
  mutating func apply(_ positions: inout BlockPositions, _ context: inout PassContext) throws(Diagnostic) {
    let order = chosen.sorted { positions[$0] < positions[$1] }
    for op in order {
      guard let fresh = try rebuild(op, &context) else { continue }
      positions.put(fresh, at: op)
    }
    // From the end, so that the old readers of a value are gone when its turn comes.
    for op in order.reversed() { try redirect(op, &context) }
  }

  private mutating func rebuild(_ op: OpID, _ context: inout PassContext) throws(Diagnostic) -> OpID? {
    guard let rule = component.members[op] else { return nil }
    let operation = context.function[op]
    var operands: [ValueID?] = []
    for (operand, role) in zip(operation.operands, rule.operands) {
      guard let operand else {
        operands.append(nil)
        continue
      }
      switch role {
      case .stays: operands.append(operand)
      case .follows(let p): operands.append(try permuted(operand, p, before: op, &context))
      case .expands(let rank, let p):
        let shape = context.shape(operand) ?? []
        let expanded = Array(repeating: Dim(1), count: rank - shape.count) + shape
        let reshaped = try context.insert(Reshape(shape: expanded), [operand], before: op)
        operands.append(try context.insert(Transpose(permutation: p), reshaped, before: op)[0])
      }
    }
    let result = try context.insert(rule.kind, operands, before: op)[0]
    let fresh = context.function.definingOp(result)
    if let fresh { context.inherit(from: op, to: fresh) }
    context.setName(context.function[operation.results[0]].name, of: result)
    turned[operation.results[0]] = result
    return fresh
  }

  private mutating func permuted(
    _ value: ValueID, _ p: [Int], before op: OpID, _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID {
    if let known = turned[value] { return known }
    var source = value
    var permutation = p
    if let transpose = context.producer(of: value, Transpose.self), let x = context.operand(transpose.op, 0) {
      source = x
      permutation = composed(transpose.kind.permutation, p)
    }
    var result = source
    if !isIdentity(permutation) {
      result = try context.insert(Transpose(permutation: permutation), [source], before: op)[0]
    }
    // A constant may be read with several permutations; other values have one.
    if !context.isFoldable(value) { turned[value] = result }
    return result
  }

  /// Gives the remaining readers of an old op's result what they need, and erases it.
  private func redirect(_ op: OpID, _ context: inout PassContext) throws(Diagnostic) {
    // It may have gone with its last reader.
    guard context.function.exists(op) else { return }
    let old = context.function[op].results[0]
    guard let new = turned[old], let p = component.permutations[old] else { return }
    for use in context.function[old].uses {
      guard case .operand(let user, _) = use, let transpose = context.kind(user, Transpose.self) else { continue }
      let rest = composed(inverse(p), transpose.permutation)
      let result = isIdentity(rest) ? [new] : try context.insert(Transpose(permutation: rest), [new], before: user)
      try context.replace(user, with: result, named: !isOfItsReaders(user, context))
    }
    guard context.function.exists(op) else { return }
    if context.useCount(old) == 0 {
      context.erase(op)
    } else if isIdentity(p) {
      try context.replace(op, with: [new])
    } else {
      let back = try context.insert(Transpose(permutation: inverse(p)), [new], before: op)
      try context.replace(op, with: back)
    }
  }

  /// Whether a transpose was only put in front of the ops that read it, whose names it bears.
  private func isOfItsReaders(_ transpose: OpID, _ context: PassContext) -> Bool {
    let operation = context.function[transpose]
    let uses = context.function[operation.results[0]].uses
    return !uses.isEmpty
      && uses.allSatisfy { use in
        guard case .operand(let reader, _) = use else { return false }
        return operation.locations.allSatisfy(context.function[reader].locations.contains)
      }
  }
}

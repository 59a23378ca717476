import IR
import Support

// What patterns ask of a graph, in the words they use.

extension PassContext {
  func operation(_ op: OpID) -> Operation { function[op] }

  func kind<Kind: OpKind>(_ op: OpID, _ type: Kind.Type) -> Kind? { function[op].kind as? Kind }

  /// The operand, or nil where it is absent.
  func operand(_ op: OpID, _ number: Int) -> ValueID? {
    let operands = function[op].operands
    return number < operands.count ? operands[number] : nil
  }

  /// The op that computes a value, when it is of this kind.
  func producer<Kind: OpKind>(of value: ValueID?, _ type: Kind.Type) -> (op: OpID, kind: Kind)? {
    guard let value, let op = function.definingOp(value), let kind = function[op].kind as? Kind else { return nil }
    return (op, kind)
  }

  /// Whether a symbol may take its value from this op, because no operand shows it.
  func introducesSymbol(_ operation: Operation) -> Bool {
    var symbols: Set<String> = []
    for result in operation.results { symbols.formUnion(SymbolUses.symbols(of: function[result].fact)) }
    if symbols.isEmpty { return false }
    for operand in operation.operands {
      if let operand { symbols.subtract(SymbolUses.symbols(of: function[operand].fact)) }
    }
    return !symbols.isEmpty
  }

  func shape(_ value: ValueID) -> [Dim]? { function.tensorType(value)?.shape }
  func useCount(_ value: ValueID) -> Int { function[value].uses.count }

  /// True when a value is a constant or weight whose elements all equal `number`, sign of zero included.
  func isSplat(_ value: ValueID, _ number: Double) -> Bool {
    // Large weights are hardly ever splats, and reading them would cost time at every look.
    guard let tensor = constant(value), tensor.storage != .string, (1...4096).contains(tensor.count) else {
      return false
    }
    return tensor.doubles().allSatisfy { $0 == number && $0.sign == number.sign }
  }

  func isInteger(_ value: ValueID) -> Bool { function.tensorType(value)?.plain?.isInteger ?? false }
}

extension RewritePattern {
  /// A pattern that finds the op's one result to be equal to a value that exists already.
  static func forwarding(
    _ name: String, roots: [String], find: @escaping @Sendable (OpID, PassContext) -> ValueID?
  ) -> RewritePattern {
    RewritePattern(name, roots: roots) { op, context throws(Diagnostic) in
      guard context.function[op].results.count == 1, let value = find(op, context),
        context.function.type(value) == context.function.type(context.function[op].results[0]),
        context.permit(name, at: op)
      else { return false }
      try context.replace(op, with: [value])
      return true
    }
  }

  /// What a pattern wants in place of an op.
  struct Replacement {
    var kind: any OpKind
    var operands: [ValueID?]
    /// Ops whose work the new one does too.
    var absorbed: [OpID] = []
  }

  /// A pattern that makes one op of another kind out of an op. It fires only when the types stay the same.
  static func rebuilding(
    _ name: String, roots: [String], find: @escaping @Sendable (OpID, PassContext) -> Replacement?
  ) -> RewritePattern {
    rebuildingTold(name, roots: roots) { op, context in find(op, context) }
  }

  /// The same for one that tells its nearest misses.
  static func rebuildingTold(
    _ name: String, roots: [String], find: @escaping @Sendable (OpID, inout PassContext) -> Replacement?
  ) -> RewritePattern {
    RewritePattern(name, roots: roots) { op, context throws(Diagnostic) in
      guard let replacement = find(op, &context) else { return false }
      let types = context.function[op].results.map { context.function.type($0) }
      guard let facts = context.inferred(replacement.kind, replacement.operands), facts.map(\.type) == types,
        context.permit(name, at: op)
      else { return false }
      let results = try context.insert(
        replacement.kind, replacement.operands, locations: context.locations(of: replacement.absorbed + [op]),
        at: .before(op))
      try context.replace(op, with: results)
      return true
    }
  }
}

extension PassContext {
  /// The source names of some ops, each once.
  func locations(of ops: [OpID]) -> [String] {
    var seen: Set<String> = []
    return ops.flatMap { function[$0].locations }.filter { seen.insert($0).inserted }
  }

  /// Records that a pattern nearly matched, but for other readers of a value.
  mutating func missed(_ pattern: String, at op: OpID, _ subject: String, usesOf value: ValueID) {
    let uses = useCount(value)
    missed(pattern, at: op, "\(subject) has \(uses) uses")
  }

  /// A constant in front of `op`.
  mutating func insert(_ tensor: Tensor, before op: OpID) throws(Diagnostic) -> ValueID {
    try insert(Constant(tensor), [], before: op)[0]
  }

  /// The one number that all elements of a constant are.
  func splat(_ value: ValueID) -> Double? {
    guard let tensor = constant(value), tensor.storage?.isFloat ?? false, (1...4096).contains(tensor.count) else {
      return nil
    }
    let numbers = tensor.doubles()
    return numbers.allSatisfy({ $0 == numbers[0] }) ? numbers[0] : nil
  }

  /// Whether a number of the source is meant to be `number`: exporters write constants with few digits.
  func isAbout(_ value: Double, _ number: Double, _ tolerance: Double = 1e-5) -> Bool {
    (value - number).magnitude <= tolerance * number.magnitude
  }
}

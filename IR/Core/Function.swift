import Support

public struct OpID: Hashable, Sendable, Comparable {
  public let number: Int
  public init(_ number: Int) { self.number = number }
  public static func < (a: OpID, b: OpID) -> Bool { a.number < b.number }
}

public struct ValueID: Hashable, Sendable, Comparable {
  public let number: Int
  public init(_ number: Int) { self.number = number }
  public static func < (a: ValueID, b: ValueID) -> Bool { a.number < b.number }
}

public struct BlockID: Hashable, Sendable {
  public let number: Int
  public init(_ number: Int) { self.number = number }
}

/// An op in a function.
public struct Operation: Sendable {
  public var kind: any OpKind
  /// Nil stands for an optional operand that is absent.
  public fileprivate(set) var operands: [ValueID?]
  public fileprivate(set) var results: [ValueID]
  public fileprivate(set) var regions: [BlockID]
  /// Where it came from, in the source's own names; a fused op keeps all.
  public var locations: [String]
  /// Equalities of dims that only run time can check.
  public var guards: [DimGuard]
  public fileprivate(set) var block: BlockID
  public fileprivate(set) var previous: OpID?
  public fileprivate(set) var next: OpID?
}

public enum ValueDefinition: Hashable, Sendable {
  case argument(BlockID, Int)
  case result(OpID, Int)
  /// A weight of the module; visible everywhere in the function.
  case weight(String)
}

/// Who reads a value: an op's operand or a block's yield.
public enum Use: Hashable, Sendable {
  case operand(OpID, Int)
  case yield(BlockID, Int)
}

public struct ValueInfo: Sendable {
  public var fact: ValueFact
  public fileprivate(set) var definition: ValueDefinition
  public fileprivate(set) var uses: Set<Use> = []
  /// A name for people; the printer keeps it when it is free.
  public var name: String?
}

/// A list of ops with arguments and yields: a function's body or a region of an op.
public struct Block: Sendable {
  public fileprivate(set) var arguments: [ValueID] = []
  public fileprivate(set) var yields: [ValueID] = []
  public fileprivate(set) var first: OpID?
  public fileprivate(set) var last: OpID?
  /// The op that owns this region; nil for a function's body.
  public fileprivate(set) var owner: OpID?
}

/// One graph: ops in arenas, linked in order, with the uses of every value kept up to date.
///
/// Ids stay valid while other ops come and go; `erase` leaves a hole.
public struct Function: Sendable {
  public var name: String
  /// Entries are exported; other functions are called.
  public var isEntry: Bool
  public private(set) var resultNames: [String] = []
  private var operations: [Operation?] = []
  private var values: [ValueInfo] = []
  private var blocks: [Block] = [Block()]
  private var weightValues: [String: ValueID] = [:]

  public init(name: String, isEntry: Bool = true) {
    self.name = name
    self.isEntry = isEntry
  }

  public var body: BlockID { BlockID(0) }

  // MARK: Reading

  public subscript(_ id: OpID) -> Operation {
    guard let operation = operations[id.number] else { preconditionFailure("op \(id.number) is erased") }
    return operation
  }
  public subscript(_ id: ValueID) -> ValueInfo { values[id.number] }
  public subscript(_ id: BlockID) -> Block { blocks[id.number] }
  public func exists(_ id: OpID) -> Bool { operations[id.number] != nil }

  public func type(_ id: ValueID) -> ValueType { values[id.number].fact.type }
  public func tensorType(_ id: ValueID) -> TensorType? { type(id).tensor }
  public func definingOp(_ id: ValueID) -> OpID? {
    if case .result(let op, _) = values[id.number].definition { op } else { nil }
  }
  /// The weight's name, when the value is one.
  public func weightName(_ id: ValueID) -> String? {
    if case .weight(let name) = values[id.number].definition { name } else { nil }
  }

  /// How many ids have been handed out, for tables indexed by id.
  public var operationCapacity: Int { operations.count }
  public var valueCapacity: Int { values.count }

  /// The ops of a block in order. A snapshot: the block may change while one walks it.
  public func ops(in block: BlockID) -> [OpID] {
    var result: [OpID] = []
    var next = blocks[block.number].first
    while let id = next {
      result.append(id)
      next = self[id].next
    }
    return result
  }

  /// Every op, regions included, each op before the ops of its regions.
  public func allOps() -> [OpID] {
    var result: [OpID] = []
    var pending = [body]
    // Depth is bounded by the parser and the frontends, but a list costs nothing and cannot overflow a stack.
    while let block = pending.popLast() {
      for id in ops(in: block) {
        result.append(id)
        pending.append(contentsOf: self[id].regions)
      }
    }
    return result
  }

  public var allWeightValues: [(name: String, value: ValueID)] {
    weightValues.map { ($0.key, $0.value) }.sorted { $0.value < $1.value }
  }

  // MARK: Building

  public mutating func addArgument(_ fact: ValueFact, name: String? = nil, to block: BlockID? = nil) -> ValueID {
    let block = block ?? body
    let number = blocks[block.number].arguments.count
    let id = addValue(fact, .argument(block, number), name)
    blocks[block.number].arguments.append(id)
    return id
  }

  /// A detached block, to be given to the op that will own it.
  public mutating func addBlock() -> BlockID {
    blocks.append(Block())
    return BlockID(blocks.count - 1)
  }

  /// The value of a weight; one a function, however often it is asked for.
  public mutating func weight(_ name: String, type: ValueType) -> ValueID {
    if let known = weightValues[name] { return known }
    let id = addValue(ValueFact(type), .weight(name), nil)
    weightValues[name] = id
    return id
  }

  /// Forgets the weights that nothing here reads, so that the module may drop them.
  public mutating func dropUnusedWeights() {
    weightValues = weightValues.filter { !values[$0.value.number].uses.isEmpty }
  }

  public mutating func setYields(_ yields: [ValueID], of block: BlockID) {
    for (number, value) in blocks[block.number].yields.enumerated() {
      values[value.number].uses.remove(.yield(block, number))
    }
    blocks[block.number].yields = yields
    for (number, value) in yields.enumerated() { values[value.number].uses.insert(.yield(block, number)) }
  }

  public mutating func setResults(_ results: [(name: String, value: ValueID)]) {
    resultNames = results.map(\.name)
    setYields(results.map(\.value), of: body)
  }

  /// Where a new op goes.
  public enum Position: Sendable {
    case end(BlockID)
    case before(OpID)
    case after(OpID)
  }

  @discardableResult
  public mutating func insert(
    _ kind: any OpKind, _ operands: [ValueID?], results: [ValueFact], regions: [BlockID] = [],
    locations: [String] = [], guards: [DimGuard] = [], at position: Position
  ) -> OpID {
    let id = OpID(operations.count)
    let block =
      switch position {
      case .end(let block): block
      case .before(let other), .after(let other): self[other].block
      }
    operations.append(
      Operation(
        kind: kind, operands: operands, results: [], regions: regions, locations: locations, guards: guards,
        block: block, previous: nil, next: nil))
    for (number, operand) in operands.enumerated() {
      if let operand { values[operand.number].uses.insert(.operand(id, number)) }
    }
    for (number, fact) in results.enumerated() {
      let value = addValue(fact, .result(id, number), nil)
      operations[id.number]!.results.append(value)
    }
    for region in regions { blocks[region.number].owner = id }
    link(id, at: position)
    return id
  }

  // MARK: Changing

  public mutating func setKind(_ kind: any OpKind, of id: OpID) { operations[id.number]!.kind = kind }
  public mutating func setLocations(_ locations: [String], of id: OpID) { operations[id.number]!.locations = locations }
  public mutating func setGuards(_ guards: [DimGuard], of id: OpID) { operations[id.number]!.guards = guards }
  public mutating func setFact(_ fact: ValueFact, of id: ValueID) { values[id.number].fact = fact }
  public mutating func setName(_ name: String?, of id: ValueID) { values[id.number].name = name }

  public mutating func setOperand(_ number: Int, of id: OpID, to value: ValueID?) {
    if let old = self[id].operands[number] { values[old.number].uses.remove(.operand(id, number)) }
    operations[id.number]!.operands[number] = value
    if let value { values[value.number].uses.insert(.operand(id, number)) }
  }

  public mutating func setOperands(_ operands: [ValueID?], of id: OpID) {
    for (number, old) in self[id].operands.enumerated() {
      if let old { values[old.number].uses.remove(.operand(id, number)) }
    }
    operations[id.number]!.operands = operands
    for (number, value) in operands.enumerated() {
      if let value { values[value.number].uses.insert(.operand(id, number)) }
    }
  }

  public mutating func replaceAllUses(of old: ValueID, with new: ValueID) {
    guard old != new else { return }
    let uses = values[old.number].uses
    values[old.number].uses = []
    for use in uses {
      switch use {
      case .operand(let op, let number): operations[op.number]!.operands[number] = new
      case .yield(let block, let number): blocks[block.number].yields[number] = new
      }
      values[new.number].uses.insert(use)
    }
    if values[new.number].name == nil { values[new.number].name = values[old.number].name }
  }

  /// Removes an op whose results nobody uses, with its regions.
  public mutating func erase(_ id: OpID) {
    for result in self[id].results { precondition(values[result.number].uses.isEmpty, "a result is still used") }
    for region in self[id].regions {
      setYields([], of: region)
      for inner in ops(in: region).reversed() { erase(inner) }
    }
    for (number, operand) in self[id].operands.enumerated() {
      if let operand { values[operand.number].uses.remove(.operand(id, number)) }
    }
    unlink(id)
    operations[id.number] = nil
  }

  public mutating func move(_ id: OpID, to position: Position) {
    unlink(id)
    switch position {
    case .end(let block): operations[id.number]!.block = block
    case .before(let other), .after(let other): operations[id.number]!.block = self[other].block
    }
    link(id, at: position)
  }

  // MARK: Links

  private mutating func addValue(_ fact: ValueFact, _ definition: ValueDefinition, _ name: String?) -> ValueID {
    values.append(ValueInfo(fact: fact, definition: definition, name: name))
    return ValueID(values.count - 1)
  }

  private mutating func link(_ id: OpID, at position: Position) {
    let block = self[id].block
    let (previous, next): (OpID?, OpID?) =
      switch position {
      case .end(let block): (blocks[block.number].last, nil)
      case .before(let other): (self[other].previous, other)
      case .after(let other): (other, self[other].next)
      }
    operations[id.number]!.previous = previous
    operations[id.number]!.next = next
    if let previous { operations[previous.number]!.next = id } else { blocks[block.number].first = id }
    if let next { operations[next.number]!.previous = id } else { blocks[block.number].last = id }
  }

  private mutating func unlink(_ id: OpID) {
    let operation = self[id]
    if let previous = operation.previous {
      operations[previous.number]!.next = operation.next
    } else {
      blocks[operation.block.number].first = operation.next
    }
    if let next = operation.next {
      operations[next.number]!.previous = operation.previous
    } else {
      blocks[operation.block.number].last = operation.previous
    }
    operations[id.number]!.previous = nil
    operations[id.number]!.next = nil
  }
}

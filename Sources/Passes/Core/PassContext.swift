import IR
import Support

/// The one way a pass changes a module.
///
/// Every change goes through here, so that each is counted, may be refused for
/// bisection, keeps the locations and guards of what it replaces, and tells the
/// worklist which ops to look at again.
public struct PassContext: Sendable {
  /// The pass that runs.
  public let pass: String
  public let limits: PassLimits
  /// Everything but the function in focus, whose place holds an empty one.
  public private(set) var module: Module
  /// The function in focus; see `forEachFunction`.
  public private(set) var function: Function
  /// How many mutations this pass made.
  public private(set) var changes = 0
  public internal(set) var ledger: PassLedger
  /// Ops that a change may have given new opportunities, for the worklist; emptied by `takeTouched`.
  private var touched: [OpID] = []
  private var inference: InferenceContext
  private var rewritesLeft: Int
  /// The last number given to a folded weight of each stem.
  private var weightNumbers: [String: Int] = [:]
  /// Ops from this number on were inserted by the current rewrite.
  private var firstFreshOp = 0

  init(pass: String, module: Module, limits: PassLimits, ledger: PassLedger) {
    self.pass = pass
    self.limits = limits
    self.module = module
    self.ledger = ledger
    function = Function(name: "")
    inference = module.inferenceContext
    let ops = module.functions.reduce(0) { $0 + $1.operationCapacity }
    rewritesLeft = (ops + 64) * limits.rewritesPerOp
  }

  /// Runs `body` on each function in turn, with `function` set to it.
  public mutating func forEachFunction(_ body: (inout PassContext) throws(Diagnostic) -> Void) throws(Diagnostic) {
    for number in module.functions.indices {
      // The slot is emptied, so that the function has one owner and changes in place.
      function = module.functions[number]
      module.functions[number] = Function(name: function.name, isEntry: function.isEntry)
      touched = []
      firstFreshOp = function.operationCapacity
      var failure: Diagnostic?
      do throws(Diagnostic) { try body(&self) } catch { failure = error }
      module.functions[number] = function
      function = Function(name: "")
      if let failure { throw failure }
    }
  }

  /// What typing may know of this module.
  public var inferenceContext: InferenceContext { inference }

  /// The least and greatest value of a dim.
  public func bounds(_ dim: Dim) -> ClosedRange<Int> { dim.bounds(inference.symbols) }

  /// True where two dims are always equal.
  public func provablyEqual(_ a: Dim, _ b: Dim) -> Bool { a == b || a.equals(b, inference.symbols) == true }

  // MARK: Permission and reasons

  /// Asks to apply `pattern` at `op`. Every rewrite asks first and does nothing when refused.
  public mutating func permit(_ pattern: String, at op: OpID) -> Bool {
    guard ledger.consume() else { return false }
    firstFreshOp = function.operationCapacity
    rewritesLeft -= 1
    let operation = function[op]
    ledger.fired(pass, pattern, function.name, operation.kind.mnemonic, operation.locations)
    return true
  }

  /// Records that `pattern` nearly matched at `op`, and which condition failed.
  public mutating func missed(_ pattern: String, at op: OpID, _ reason: @autoclosure () -> String) {
    guard ledger.explains else { return }
    let operation = function[op]
    ledger.missed(pass, pattern, function.name, operation.kind.mnemonic, operation.locations, reason())
  }

  /// Records something worth telling that is neither a rewrite nor a miss of one.
  public mutating func note(_ text: @autoclosure () -> String, at op: OpID) {
    missed("note", at: op, text())
  }

  /// Fails when the pass runs in circles: a bug of the pass, whatever the model.
  public func checkProgress() throws(Diagnostic) {
    guard rewritesLeft > 0 else {
      let last = ledger.lastRewrite.map(\.description) ?? "nothing"
      throw .bug("\(pass) does not come to an end; the last was \(last)")
    }
  }

  // MARK: The worklist

  /// The ops touched since the last call.
  public mutating func takeTouched() -> [OpID] {
    defer { touched.removeAll(keepingCapacity: true) }
    return touched
  }

  private mutating func touch(_ value: ValueID?) {
    if let value, let op = function.definingOp(value) { touched.append(op) }
  }

  private mutating func touchUsers(of value: ValueID) {
    for use in function[value].uses {
      switch use {
      case .operand(let op, _): touched.append(op)
      case .yield(let block, _): if let owner = function[block].owner { touched.append(owner) }
      }
    }
  }

  // MARK: Changing ops

  /// Inserts an op before `anchor`, with its types inferred, and returns its results.
  @discardableResult
  public mutating func insert(
    _ kind: any OpKind, _ operands: [ValueID?], regions: [BlockID] = [], before anchor: OpID
  ) throws(Diagnostic) -> [ValueID] {
    try insert(kind, operands, regions: regions, locations: function[anchor].locations, at: .before(anchor))
  }

  /// Inserts an op anywhere.
  @discardableResult
  public mutating func insert(
    _ kind: any OpKind, _ operands: [ValueID?], regions: [BlockID] = [], locations: [String],
    at position: Function.Position
  ) throws(Diagnostic) -> [ValueID] {
    var context = inference
    let facts = try function.inferResults(of: kind, operands, regions: regions, in: &context)
    let id = function.insert(
      kind, operands, results: facts, regions: regions, locations: locations, guards: context.guards, at: position)
    changes += 1
    touched.append(id)
    return function[id].results
  }

  /// The type `kind` would give, or nil where it does not fit these operands.
  public func inferred(_ kind: any OpKind, _ operands: [ValueID?], regions: [BlockID] = []) -> [ValueFact]? {
    var context = inference
    return try? function.inferResults(of: kind, operands, regions: regions, in: &context)
  }

  /// True when `kind` fits these operands without a run-time check.
  public func infersWithoutGuards(_ kind: any OpKind, _ operands: [ValueID?]) -> [ValueFact]? {
    var context = inference
    let facts = try? function.inferResults(of: kind, operands, in: &context)
    return context.guards.isEmpty ? facts : nil
  }

  /// Replaces an op by values of the same types and erases it, with whatever only it used.
  ///
  /// Ops that the current rewrite inserted, and with `merging` any op, inherit its locations, unless they are not
  /// `named` after it; its guards move to an op that still runs.
  public mutating func replace(
    _ id: OpID, with values: [ValueID], merging: Bool = false, named: Bool = true
  ) throws(Diagnostic) {
    let operation = function[id]
    for (old, new) in zip(operation.results, values) where old != new {
      guard function.type(old) == function.type(new) else {
        throw .bug(
          "\(pass) replaces \(operation.kind.mnemonic) of type \(function.type(old)) by a value of type "
            + "\(function.type(new))")
      }
      keepElements(of: old, in: new)
    }
    keepGuards(of: operation, besides: values)
    for value in values where named {
      guard let definition = function.definingOp(value), merging || definition.number >= firstFreshOp else { continue }
      addLocations(operation.locations, to: definition)
    }
    for (old, new) in zip(operation.results, values) {
      touchUsers(of: old)
      function.replaceAllUses(of: old, with: new)
      touch(new)
    }
    changes += 1
    erase(id)
  }

  /// A replacement knows at least as much of its elements as what it replaces.
  private mutating func keepElements(of old: ValueID, in new: ValueID) {
    var fact = function[new].fact
    guard fact.elements == nil, let elements = function[old].fact.elements else { return }
    fact.elements = elements
    function.setFact(fact, of: new)
  }

  private mutating func keepGuards(of operation: Operation, besides values: [ValueID]) {
    var kept = operation.guards.filter { !provablyEqual($0.left, $0.right) }
    for value in values where !kept.isEmpty {
      guard let definition = function.definingOp(value) else { continue }
      kept.removeAll { function[definition].guards.contains($0) }
    }
    guard !kept.isEmpty, let heir = operation.next ?? operation.previous else { return }
    let guards = function[heir].guards
    function.setGuards(guards + kept.filter { !guards.contains($0) }, of: heir)
  }

  /// Adds source names to an op that now does their work too.
  public mutating func addLocations(_ locations: [String], to id: OpID) {
    var all = function[id].locations
    for location in locations where !all.contains(location) { all.append(location) }
    if all.count != function[id].locations.count { function.setLocations(all, of: id) }
  }

  /// Moves guards and adds locations of an op to the one that takes its place.
  public mutating func inherit(from old: OpID, to new: OpID) {
    addLocations(function[old].locations, to: new)
    let guards = function[new].guards
    function.setGuards(guards + function[old].guards.filter { !guards.contains($0) }, of: new)
    function.setGuards([], of: old)
  }

  /// Erases an op whose results are unused, then the ops that only it used.
  public mutating func erase(_ id: OpID) {
    var pending = [id]
    while let next = pending.popLast() {
      guard function.exists(next) else { continue }
      if next != id, !isTriviallyDead(next) { continue }
      let sources = function.inputs(of: next)
      function.erase(next)
      changes += 1
      for source in sources {
        guard let definition = function.definingOp(source), function.exists(definition) else { continue }
        touched.append(definition)
        // What a value's other users can do may depend on how many users there are.
        if function[source].uses.count == 1 { touchUsers(of: source) }
        pending.append(definition)
      }
    }
  }

  /// Whether an op can go without a look at the rest of the graph: unused, pure, and no symbol starts with it.
  private func isTriviallyDead(_ id: OpID) -> Bool {
    let operation = function[id]
    guard operation.kind.effects.isPure, operation.regions.isEmpty else { return false }
    for result in operation.results where !function[result].uses.isEmpty { return false }
    return !introducesSymbol(operation)
  }

  public mutating func setOperand(_ number: Int, of id: OpID, to value: ValueID?) throws(Diagnostic) {
    let old = function[id].operands[number]
    function.setOperand(number, of: id, to: value)
    changes += 1
    touch(old)
    try refresh(id)
  }

  public mutating func setOperands(_ operands: [ValueID?], of id: OpID) throws(Diagnostic) {
    for old in function[id].operands { touch(old) }
    function.setOperands(operands, of: id)
    changes += 1
    try refresh(id)
  }

  public mutating func setKind(_ kind: any OpKind, of id: OpID) throws(Diagnostic) {
    function.setKind(kind, of: id)
    changes += 1
    try refresh(id)
  }

  public mutating func setYields(_ yields: [ValueID], of block: BlockID) {
    for old in function[block].yields { touch(old) }
    function.setYields(yields, of: block)
    changes += 1
    if let owner = function[block].owner { touched.append(owner) }
  }

  public mutating func move(_ id: OpID, to position: Function.Position) {
    function.move(id, to: position)
    changes += 1
    touched.append(id)
  }

  /// Types an op anew. Its types must not change: who reads them was typed by them. New facts reach its users.
  public mutating func refresh(_ id: OpID) throws(Diagnostic) {
    var pending = [id]
    while let next = pending.popLast() {
      guard function.exists(next) else { continue }
      let operation = function[next]
      var context = inference
      let facts = try function.inferResults(
        of: operation.kind, operation.operands, regions: operation.regions, in: &context)
      var guards = operation.guards
      for check in context.guards where !guards.contains(check) { guards.append(check) }
      if guards.count != operation.guards.count { function.setGuards(guards, of: next) }
      touched.append(next)
      for (fact, result) in zip(facts, operation.results) {
        let old = function[result].fact
        guard fact.type == old.type else {
          throw .bug("\(pass) turns \(operation.kind.mnemonic) of type \(old.type) into \(fact.type)")
        }
        guard let elements = fact.elements, old.elements != elements else { continue }
        function.setFact(fact, of: result)
        for use in function[result].uses {
          if case .operand(let user, _) = use { pending.append(user) }
        }
      }
    }
  }

  // MARK: Regions

  /// A detached block with arguments, for a new op with a region.
  public mutating func addBlock(arguments: [ValueFact]) -> (block: BlockID, arguments: [ValueID]) {
    let block = function.addBlock()
    var values: [ValueID] = []
    for fact in arguments { values.append(function.addArgument(fact, to: block)) }
    return (block, values)
  }

  /// Replaces an op by the ops of one of its regions, its arguments bound to `arguments`.
  public mutating func inline(_ region: BlockID, of id: OpID, arguments: [ValueID]) throws(Diagnostic) {
    for (argument, value) in zip(function[region].arguments, arguments) {
      touchUsers(of: argument)
      function.replaceAllUses(of: argument, with: value)
    }
    for inner in function.ops(in: region) {
      function.move(inner, to: .before(id))
      touched.append(inner)
    }
    let yields = function[region].yields
    function.setYields([], of: region)
    try replace(id, with: yields)
  }

  /// Makes all readers of a value read another one of the same type, but for the yields of a block.
  public mutating func redirect(_ old: ValueID, to new: ValueID, except block: BlockID) throws(Diagnostic) {
    guard function.type(old) == function.type(new) else {
      throw .bug("\(pass) redirects \(function.type(old)) to \(function.type(new))")
    }
    let yields = function[block].yields
    keepElements(of: old, in: new)
    touchUsers(of: old)
    function.setYields([], of: block)
    let readsOutside = function[old].uses
    let inside = readsOutside.filter { use in
      if case .operand(let op, _) = use { return function[op].block == block }
      return false
    }
    function.replaceAllUses(of: old, with: new)
    for case .operand(let op, let number) in inside { function.setOperand(number, of: op, to: old) }
    function.setYields(yields, of: block)
    changes += 1
  }

  // MARK: Weights, symbols and names

  public mutating func setName(_ name: String?, of value: ValueID) { function.setName(name, of: value) }

  /// Adds a folded weight named after another one and returns its value, or nil where the model may not grow so far.
  public mutating func addWeight(
    _ tensor: Tensor, after name: String, origin: String, growth: Int, limit: Int? = nil
  ) -> ValueID? {
    guard ledger.grow(by: growth, limit: limit ?? limits.foldedGrowthBytes) else { return nil }
    let name = freshWeightName(after: name)
    module.add(Weight(name: name, tensor: tensor, origin: origin))
    changes += 1
    return function.weight(name, type: .tensor(tensor.type))
  }

  /// `w.1` after `w`, `w.2` after `w.1`.
  private mutating func freshWeightName(after name: String) -> String {
    var stem = name
    if let dot = name.lastIndex(of: "."), let number = Int(name[name.index(after: dot)...]), number >= 0 {
      stem = String(name[..<dot])
    }
    var number = weightNumbers[stem, default: 0] + 1
    while module.weight("\(stem).\(number)") != nil { number += 1 }
    weightNumbers[stem] = number
    return "\(stem).\(number)"
  }

  /// The tensor of a constant or a weight.
  public func constant(_ value: ValueID) -> Tensor? {
    switch function[value].definition {
    case .weight(let name): return module.weight(name)?.tensor
    case .result(let op, _): return (function[op].kind as? Constant)?.value
    case .argument: return nil
    }
  }

  /// Drops weights for which `isNeeded` is false; no function may use them any more.
  public mutating func filterWeights(_ isNeeded: (Weight) -> Bool) {
    let before = module.weights.count
    module.filterWeights(isNeeded)
    changes += before - module.weights.count
  }

  /// Forgets the weights that the function in focus mentions without use.
  public mutating func dropUnusedWeights() { function.dropUnusedWeights() }

  public mutating func replaceSymbols(_ kept: [Symbol]) {
    changes += module.symbols.count - kept.count
    module.replaceSymbols(kept)
    inference = module.inferenceContext
  }

  /// The module with everything put back, for the manager.
  consuming func finish() -> (module: Module, changes: Int, ledger: PassLedger) { (module, changes, ledger) }
}

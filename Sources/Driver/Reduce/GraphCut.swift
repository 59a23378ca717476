import IR
import Passes
import Support

/// A part of an entry as a module of its own: some of the ops, what they read from others as inputs, and what others
/// read of them as outputs.
///
///     %0 = matmul %x, @w : f32[4, 8]                entry @main(%cut0: f32[4, 8]) -> (%out0: f32[4, 8]) {
///     %1 = relu %0       : f32[4, 8]     becomes      %0 = relu %cut0 : f32[4, 8]
///     %2 = neg %1        : f32[4, 8]                  return %0
///
/// when only the `relu` is kept. Constants follow the ops that read them.
struct GraphCut {
  /// The ops of the body that stay; nil keeps all.
  var kept: Set<OpID>?
  /// Values whose readers read another value instead, one that is defined before.
  var replaced: [ValueID: ValueID] = [:]
  /// The results that stay, by number; nil leaves the choice to what is kept.
  var results: [Int]?
  /// Other types for inputs; the types of everything behind follow.
  var retyped: [ValueID: TensorType] = [:]

  /// The smaller module, and which value of the old entry each of its inputs is.
  func apply(to module: Module, entry name: String) throws(Diagnostic) -> (module: Module, inputs: [ValueID]) {
    guard let source = module.function(name) else { throw .bug("there is no entry \(name)") }
    var build = CutBuilder(self, module, source)
    return try build.run()
  }
}

private struct CutBuilder {
  let cut: GraphCut
  let module: Module
  let source: Function
  private var target: Function
  private var result: Module
  private var values: [ValueID: ValueID] = [:]
  private var inputs: [ValueID] = []
  private var names: Set<String> = []

  init(_ cut: GraphCut, _ module: Module, _ source: Function) {
    self.cut = cut
    self.module = module
    self.source = source
    target = Function(name: source.name)
    result = Module(name: module.name)
  }

  mutating func run() throws(Diagnostic) -> (module: Module, inputs: [ValueID]) {
    for symbol in module.symbols { result.declare(symbol: symbol.name, in: symbol.range) }
    for (name, parameters) in module.quantizations { result.declare(quantization: name, parameters) }
    for weight in module.weights { result.add(weight) }
    for state in module.states { result.add(state) }
    let outputs = chosenResults()
    guard !outputs.isEmpty else { throw .invalid("nothing is left") }
    let needed = neededOps(for: outputs.map(\.value))
    let ops = source.ops(in: source.body).filter { needed.contains($0) }
    try addInputs(of: ops, outputs.map(\.value))
    for op in ops { try copy(op, to: target.body) }
    var named: [(name: String, value: ValueID)] = []
    for (name, value) in outputs { named.append((name, try copied(value))) }
    target.setResults(named)
    result.functions = [target]
    try PassManager().run([deadCode], on: &result)
    try Verifier.verify(result)
    return (result, inputs)
  }

  private func resolved(_ value: ValueID) -> ValueID {
    var value = value
    while let other = cut.replaced[value] { value = other }
    return value
  }

  private func isKept(_ op: OpID) -> Bool { cut.kept?.contains(op) ?? true }

  // MARK: Outputs

  /// Results of the entry that are still computed, then what ops that are gone have read.
  private func chosenResults() -> [(name: String, value: ValueID)] {
    let all = zip(source.resultNames, source[source.body].yields).map { (name: $0, value: resolved($1)) }
    if let numbers = cut.results { return numbers.filter(all.indices.contains).map { all[$0] } }
    guard let kept = cut.kept else { return all }
    var outputs = all.filter { output in source.definingOp(output.value).map { kept.contains($0) } ?? false }
    var taken = Set(outputs.map(\.name))
    var seen = Set(outputs.map(\.value))
    let gone = source.ops(in: source.body).filter { !kept.contains($0) }
    for op in gone {
      for value in reads(op) {
        guard let definition = source.definingOp(value), kept.contains(definition),
          !(source[definition].kind is Constant), isPassable(value), seen.insert(value).inserted
        else { continue }
        var number = outputs.count
        while !taken.insert("out\(number)").inserted { number += 1 }
        outputs.append((name: "out\(number)", value: value))
      }
    }
    return outputs
  }

  /// Whether a value can go in or out of an entry.
  private func isPassable(_ value: ValueID) -> Bool {
    guard let type = source.tensorType(value), let storage = type.element.storage else { return false }
    return storage != .string && type.layout == nil
  }

  // MARK: Ops

  /// What an op and the ops inside of it read from outside.
  private func reads(_ op: OpID) -> [ValueID] {
    var inside: Set<ValueID> = []
    var found: [ValueID] = []
    var pending = [op]
    while let id = pending.popLast() {
      let operation = source[id]
      inside.formUnion(operation.results)
      found += operation.operands.compactMap { $0 }
      for region in operation.regions {
        inside.formUnion(source[region].arguments)
        found += source[region].yields
        pending += source.ops(in: region)
      }
    }
    return found.map(resolved).filter { !inside.contains($0) }
  }

  private func neededOps(for outputs: [ValueID]) -> Set<OpID> {
    var needed: Set<OpID> = []
    var pending = outputs
    while let value = pending.popLast() {
      guard let op = source.definingOp(value), isKept(op) || source[op].kind is Constant,
        source[op].block == source.body, needed.insert(op).inserted
      else { continue }
      pending += reads(op)
    }
    return needed
  }

  /// Inputs of the entry that are still read, in their order, then the values that are no longer computed.
  private mutating func addInputs(of ops: [OpID], _ outputs: [ValueID]) throws(Diagnostic) {
    let present = Set(ops.flatMap { source[$0].results })
    var needed: [ValueID] = []
    var seen: Set<ValueID> = []
    for value in ops.flatMap(reads) + outputs where !present.contains(value) && source.weightName(value) == nil {
      if seen.insert(value).inserted { needed.append(value) }
    }
    let arguments = source[source.body].arguments
    for (number, argument) in arguments.enumerated() where seen.contains(argument) {
      add(argument, named: source[argument].name ?? "input\(number)", source[argument].fact)
    }
    let known = Set(arguments)
    for value in needed where !known.contains(value) {
      guard isPassable(value) else { throw .invalid("a value of type \(source.type(value)) cannot be an input") }
      add(value, named: "cut\(inputs.count)", ValueFact(source.type(value)))
    }
  }

  private mutating func add(_ value: ValueID, named name: String, _ fact: ValueFact) {
    var unique = name
    var number = 0
    while !names.insert(unique).inserted {
      number += 1
      unique = "\(name)_\(number)"
    }
    let fact = cut.retyped[value].map { ValueFact($0) } ?? fact
    values[value] = target.addArgument(fact, name: unique)
    inputs.append(value)
  }

  // MARK: Copies

  private mutating func copy(_ id: OpID, to block: BlockID) throws(Diagnostic) {
    let operation = source[id]
    var operands: [ValueID?] = []
    for operand in operation.operands {
      operands.append(try operand.map { value throws(Diagnostic) in try copied(value) })
    }
    var regions: [BlockID] = []
    for region in operation.regions { regions.append(try copy(region: region)) }
    // Elements that were known of a value are no longer known when it is cut, which may change types behind it.
    var context = result.inferenceContext
    let facts = try target.inferResults(of: operation.kind, operands, regions: regions, in: &context)
    if cut.retyped.isEmpty, facts.map(\.type) != operation.results.map({ source.type($0) }) {
      throw .invalid("\(operation.kind.mnemonic) has another type without what comes before it")
    }
    let copy = target.insert(
      operation.kind, operands, results: facts, regions: regions, locations: operation.locations,
      guards: context.guards,
      at: .end(block))
    for (old, new) in zip(operation.results, target[copy].results) {
      values[old] = new
      target.setName(source[old].name, of: new)
    }
  }

  private mutating func copy(region: BlockID) throws(Diagnostic) -> BlockID {
    let block = target.addBlock()
    for argument in source[region].arguments {
      values[argument] = target.addArgument(source[argument].fact, name: source[argument].name, to: block)
    }
    for id in source.ops(in: region) { try copy(id, to: block) }
    var yields: [ValueID] = []
    for value in source[region].yields { yields.append(try copied(value)) }
    target.setYields(yields, of: block)
    return block
  }

  private mutating func copied(_ value: ValueID) throws(Diagnostic) -> ValueID {
    let value = resolved(value)
    if let known = values[value] { return known }
    guard let name = source.weightName(value) else { throw .invalid("a value is read before it is computed") }
    let copy = target.weight(name, type: source.type(value))
    values[value] = copy
    return copy
  }
}

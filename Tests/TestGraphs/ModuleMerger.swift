import IR
import Support

/// Many modules as one with as many entries, so that a thousand graphs take one build.
///
/// Everything a module names gets the prefix of its part: entries and functions, symbols, states, weights and
/// quantization parameters. Ops keep their places, led by the prefix, so that a message says which part it is about.
public struct ModuleMerger {
  public private(set) var merged: Module

  public init(name: String) { merged = Module(name: name) }

  /// Adds a module's declarations and functions; its entry `main` becomes `<prefix>main`.
  public mutating func add(_ module: Module, prefix: String) throws(Diagnostic) {
    let renaming = Renaming(prefix: prefix, module)
    for symbol in module.symbols { merged.declare(symbol: prefix + symbol.name, in: symbol.range) }
    for weight in module.weights {
      let tensor = try renaming.tensor(weight.tensor)
      merged.add(Weight(name: prefix + weight.name, tensor: tensor, origin: weight.origin))
    }
    for state in module.states {
      merged.add(
        StateDeclaration(
          name: prefix + state.name, type: renaming.type(state.type), initial: state.initial.map { prefix + $0 }))
    }
    for (name, parameters) in module.quantizations { merged.declare(quantization: prefix + name, parameters) }
    for function in module.functions { merged.functions.append(try copy(of: function, renaming)) }
  }

  // MARK: Functions

  private func copy(of source: Function, _ renaming: Renaming) throws(Diagnostic) -> Function {
    var copier = FunctionCopier(source, renaming)
    try copier.copyBody()
    return copier.target
  }
}

/// Rebuilds a function under other names.
private struct FunctionCopier {
  let source: Function
  let renaming: Renaming
  var target: Function
  private var values: [ValueID: ValueID] = [:]

  init(_ source: Function, _ renaming: Renaming) {
    self.source = source
    self.renaming = renaming
    target = Function(name: renaming.prefix + source.name, isEntry: source.isEntry)
  }

  mutating func copyBody() throws(Diagnostic) {
    try copy(source.body, to: target.body)
    let results = zip(source.resultNames, target[target.body].yields).map { (name: $0, value: $1) }
    target.setResults(results)
  }

  private mutating func copy(_ from: BlockID, to block: BlockID) throws(Diagnostic) {
    for argument in source[from].arguments {
      let fact = renaming.fact(source[argument].fact)
      values[argument] = target.addArgument(fact, name: source[argument].name, to: block)
    }
    for id in source.ops(in: from) { try copy(id, to: block) }
    var yields: [ValueID] = []
    for value in source[from].yields { yields.append(try copy(value)) }
    target.setYields(yields, of: block)
  }

  private mutating func copy(_ id: OpID, to block: BlockID) throws(Diagnostic) {
    let operation = source[id]
    var operands: [ValueID?] = []
    for operand in operation.operands {
      operands.append(try operand.map { value throws(Diagnostic) in try copy(value) })
    }
    var regions: [BlockID] = []
    for region in operation.regions {
      let inner = target.addBlock()
      try copy(region, to: inner)
      regions.append(inner)
    }
    var kind = operation.kind
    var renamer = AttributeRenamer(renaming: renaming)
    try kind.attributes(&renamer)
    let places = operation.locations.isEmpty ? [kind.mnemonic] : operation.locations
    let copied = target.insert(
      kind, operands, results: operation.results.map { renaming.fact(source[$0].fact) }, regions: regions,
      locations: places.map { "\(renaming.prefix)/\($0)" }, guards: operation.guards.map { renaming.dimGuard($0) },
      at: .end(block))
    for (old, new) in zip(operation.results, target[copied].results) { values[old] = new }
  }

  private mutating func copy(_ value: ValueID) throws(Diagnostic) -> ValueID {
    if let known = values[value] { return known }
    guard let name = source.weightName(value) else { throw .bug("value \(value.number) comes from nowhere") }
    let copied = target.weight(renaming.prefix + name, type: renaming.type(source.type(value)))
    values[value] = copied
    return copied
  }
}

/// A module's names with a prefix.
private struct Renaming {
  let prefix: String
  let dims: [String: Dim]

  init(prefix: String, _ module: Module) {
    self.prefix = prefix
    var dims: [String: Dim] = [:]
    for symbol in module.symbols { dims[symbol.name] = Dim(symbol: prefix + symbol.name) }
    self.dims = dims
  }

  func dim(_ dim: Dim) -> Dim { dim.substitute(dims) }

  func dimGuard(_ guardian: DimGuard) -> DimGuard { DimGuard(dim(guardian.left), dim(guardian.right)) }

  func element(_ element: TensorElement) -> TensorElement {
    guard case .quantized(let storage, let name) = element else { return element }
    return .quantized(storage, prefix + name)
  }

  func type(_ type: ValueType) -> ValueType {
    switch type {
    case .tensor(let tensor):
      .tensor(TensorType(element(tensor.element), tensor.shape.map { dim($0) }, layout: tensor.layout))
    case .sequence(let member): .sequence(self.type(member))
    case .optional(let member): .optional(self.type(member))
    case .anyTensor: type
    }
  }

  func fact(_ fact: ValueFact) -> ValueFact {
    ValueFact(type(fact.type), elements: fact.elements?.map { dim($0) })
  }

  func tensor(_ tensor: Tensor) throws(Diagnostic) -> Tensor {
    guard case .quantized = tensor.element else { return tensor }
    return try Tensor(
      element: element(tensor.element), shape: tensor.shape, layout: tensor.layout, bytes: tensor.bytes)
  }
}

private struct AttributeRenamer: AttributeVisitor {
  let renaming: Renaming

  mutating func int(_ name: String, _ value: inout Int) {}
  mutating func float(_ name: String, _ value: inout Double) {}
  mutating func bool(_ name: String, _ value: inout Bool) {}
  mutating func string(_ name: String, _ value: inout String) {}
  mutating func ints(_ name: String, _ value: inout [Int]) {}
  mutating func dim(_ name: String, _ value: inout Dim) { value = renaming.dim(value) }
  mutating func dims(_ name: String, _ value: inout [Dim]) { value = value.map { renaming.dim($0) } }
  mutating func strings(_ name: String, _ value: inout [String]) {}
  mutating func element(_ name: String, _ value: inout TensorElement) { value = renaming.element(value) }
  mutating func type(_ name: String, _ value: inout ValueType?) { value = value.map { renaming.type($0) } }
  mutating func tensor(_ name: String, _ value: inout Tensor?) throws(Diagnostic) {
    guard let tensor = value else { return }
    value = try renaming.tensor(tensor)
  }
  mutating func reference(_ name: String, _ value: inout String) {
    if !value.isEmpty { value = renaming.prefix + value }
  }
  mutating func references(_ name: String, _ value: inout [String]) { value = value.map { renaming.prefix + $0 } }
  mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(_ name: String, _ value: inout Choice)
  where Choice.RawValue == String {}
}

import Formats
import IR
import Support

/// Walks a function and collects the nodes and initializers of its graph.
///
/// Names are numbers while the graph grows; `ONNXTidying` gives them those of the source. A scope is the graph or
/// a subgraph: what is added in one is visible in those inside of it.
final class ONNXGraphWriter {
  /// The nodes of one graph and what was computed in it for later use.
  struct Scope {
    var nodes: [ONNXNode] = []
    /// The value of a symbol, as a vector of one.
    var symbols: [String: String] = [:]
    /// Where a symbol's value can be had: an axis of a value whose name this is.
    var sources: [String: (value: String, axis: Int)] = [:]
    var dims: [Dim: String] = [:]
    var turned: [TurnKey: String] = [:]
  }

  struct TurnKey: Hashable {
    var value: String
    var permutation: [Int]
  }

  let module: Module
  let function: Function
  private(set) var scopes = [Scope()]
  private(set) var initializers: [ONNXTensor] = []
  /// The names of values in the graph.
  private(set) var values: [ValueID: String] = [:]
  /// For a transposed value: of which, and how.
  private var turnedFrom: [String: (source: String, permutation: [Int])] = [:]
  private var tensors: [String: Tensor] = [:]
  private var smallConstants: [Tensor: String] = [:]
  private var count = 0
  /// What nodes that are being added are called after.
  private(set) var site = ""
  let symbolRanges: [String: ClosedRange<Int>]

  init(_ module: Module, _ function: Function) {
    self.module = module
    self.function = function
    symbolRanges = Dictionary(module.symbols.map { ($0.name, $0.range) }, uniquingKeysWith: { a, _ in a })
  }

  func run() throws(Diagnostic) {
    let arguments = function[function.body].arguments
    for argument in arguments {
      let name = fresh()
      values[argument] = name
      offerSymbols(of: argument, name)
    }
    solveSymbols(arguments)
    try emit(function.body)
  }

  // MARK: Names

  func fresh() -> String {
    count += 1
    // No file has such a name: it would be two lines.
    return "\n\(count)"
  }

  func name(of value: ValueID) throws(Diagnostic) -> String {
    if let name = values[value] { return name }
    if let weight = function.weightName(value), let tensor = module.weight(weight)?.tensor {
      let name = try add(initializer: tensor)
      values[value] = name
      return name
    }
    throw .bug("a value is read before it is computed")
  }

  // MARK: Ops

  func emit(_ block: BlockID) throws(Diagnostic) {
    for id in function.ops(in: block) {
      let operation = function[id]
      let outer = site
      site = operation.locations.first ?? operation.kind.mnemonic
      defer { site = outer }
      do throws(Diagnostic) {
        let names = try emit(operation)
        guard names.count == operation.results.count else {
          throw .bug("\(operation.kind.mnemonic) has \(operation.results.count) results, \(names.count) were written")
        }
        for (result, name) in zip(operation.results, names) { define(result, as: name) }
      } catch { throw error.located(operation.locations.first.map { Location(path: $0) }) }
    }
  }

  func define(_ value: ValueID, as name: String) {
    values[value] = name
    offerSymbols(of: value, name)
  }

  private func emit(_ operation: Operation) throws(Diagnostic) -> [String] {
    let context = ONNXEmissionContext(writer: self, operation: operation)
    // What is known of extents is written as such.
    if operation.results.count == 1, operation.regions.isEmpty, operation.kind.effects.isPure,
      !(operation.kind is Constant), !(operation.kind is Extent), let type = function.tensorType(operation.results[0]),
      let elements = function[operation.results[0]].fact.elements, let shape = type.constantShape,
      let element = type.plain
    {
      let known = elements.compactMap(\.constant)
      if known.count == elements.count { return [try constant(Tensor(element, shape, integers: known))] }
      if element == .i64, elements.allSatisfy(canCompute) {
        return [
          shape.count == 1 ? try context.dims(elements) : try context.reshaped(try context.dims(elements), to: shape)
        ]
      }
    }
    guard let kind = operation.kind as? any ONNXEmission else {
      throw .unsupported("\(operation.kind.mnemonic) cannot be written to a model of ONNX")
    }
    return try kind.emit(context)
  }

  // MARK: Nodes

  func add(_ node: ONNXNode) {
    var node = node
    node.name = site
    scopes[scopes.count - 1].nodes.append(node)
  }

  /// A graph inside of a node: `body` adds its nodes and says what it gives.
  func subgraph(
    named name: String, arguments: [(name: String, type: ValueType)],
    _ body: () throws(Diagnostic) -> [(name: String, type: ValueType)]
  ) throws(Diagnostic) -> ONNXGraph {
    scopes.append(Scope())
    defer { scopes.removeLast() }
    var graph = ONNXGraph()
    graph.name = name
    graph.inputs = try arguments.map { argument throws(Diagnostic) in
      ONNXValueInfo(argument.name, try ONNXType(argument.type))
    }
    let own = Set(arguments.map(\.name))
    var given: Set<String> = []
    for result in try body() {
      // What a graph gives has to be computed in it, once for each result.
      let isComputed =
        own.contains(result.name) ? false : scopes[scopes.count - 1].nodes.contains { $0.outputs.contains(result.name) }
      var name = result.name
      if !isComputed || given.contains(name) {
        name = fresh()
        add(ONNXNode("Identity", inputs: [result.name], outputs: [name]))
      }
      given.insert(name)
      graph.outputs.append(ONNXValueInfo(name, try ONNXType(result.type)))
    }
    graph.nodes = scopes[scopes.count - 1].nodes
    return graph
  }

  // MARK: Constants

  func constant(_ tensor: Tensor) throws(Diagnostic) -> String {
    if tensor.count <= ValueFact.limit, let known = smallConstants[tensor] { return known }
    let name = try add(initializer: tensor)
    if tensor.count <= ValueFact.limit { smallConstants[tensor] = name }
    return name
  }

  private func add(initializer tensor: Tensor) throws(Diagnostic) -> String {
    guard let element = tensor.element.storage, tensor.layout == nil else {
      throw .unsupported("the format has no tensors of type \(tensor.type)")
    }
    let name = fresh()
    if element == .string {
      var strings = ONNXTensor(name, strings: [], dims: tensor.shape)
      strings.stringData = tensor.strings.map { ByteView(copying: $0) }
      initializers.append(strings)
    } else {
      initializers.append(ONNXTensor(name, element, dims: tensor.shape, data: tensor.bytes))
    }
    tensors[name] = tensor
    return name
  }

  /// The constant that a value is, where it is one.
  func constantTensor(_ value: ValueID) -> Tensor? {
    if let weight = function.weightName(value) { return module.weight(weight)?.tensor }
    return values[value].flatMap { tensors[$0] }
  }

  // MARK: Transposes

  /// `value` with its axes permuted; transposes of transposes are written as one, or not at all.
  func transposed(_ value: String, _ permutation: [Int], weightIsShared: Bool = false) throws(Diagnostic) -> String {
    var (source, total) = (value, permutation)
    if let origin = turnedFrom[value] { (source, total) = (origin.source, permutation.map { origin.permutation[$0] }) }
    if total == Array(total.indices) { return source }
    let key = TurnKey(value: source, permutation: total)
    for scope in scopes.reversed() { if let known = scope.turned[key] { return known } }
    let name: String
    if let tensor = tensors[source], tensor.storage != .string, !weightIsShared {
      let strides = rowMajorStrides(tensor.shape)
      name = try add(initializer: tensor.gathered(total.map { tensor.shape[$0] }, strides: total.map { strides[$0] }))
      // Initializers belong to the outermost graph.
      scopes[0].turned[key] = name
    } else {
      name = fresh()
      add(ONNXNode("Transpose", inputs: [source], outputs: [name], attributes: [ONNXAttribute("perm", ints: total)]))
      scopes[scopes.count - 1].turned[key] = name
    }
    turnedFrom[name] = (source, total)
    return name
  }

  // MARK: Symbols

  /// Symbols that are a whole extent of this value can be read off it.
  private func offerSymbols(of value: ValueID, _ name: String) {
    guard let type = function.tensorType(value) else { return }
    for (axis, dim) in type.shape.enumerated() {
      guard let symbol = dim.symbolName, !isBound(symbol) else { continue }
      scopes[scopes.count - 1].sources[symbol] = (name, axis)
    }
  }

  private func isBound(_ symbol: String) -> Bool {
    scopes.contains { $0.symbols[symbol] != nil || $0.sources[symbol] != nil }
  }

  /// Symbols that only follow from an input's extent by arithmetic.
  private func solveSymbols(_ arguments: [ValueID]) {
    for step in SymbolEquations(function).steps where !step.isDirect {
      guard let name = values[arguments[step.input]], !isBound(step.symbol) else { continue }
      let context = ONNXEmissionContext.bare(self)
      let extent = context.node(
        "Shape", [name], [ONNXAttribute("start", int: step.axis), ONNXAttribute("end", int: step.axis + 1)])
      guard let rest = try? context.dims([step.rest]), let factor = try? context.dims([step.factor]) else { continue }
      scopes[0].symbols[step.symbol] = context.node("Div", [context.node("Sub", [extent, rest]), factor])
    }
  }

  func bind(_ symbol: String, to vector: String) { scopes[scopes.count - 1].symbols[symbol] = vector }

  /// The value of a symbol as a vector of one; nil where nothing in sight tells it.
  func symbol(_ symbol: String) -> String? {
    for scope in scopes.reversed() { if let known = scope.symbols[symbol] { return known } }
    for scope in scopes.reversed() {
      guard let source = scope.sources[symbol] else { continue }
      let name = fresh()
      add(
        ONNXNode(
          "Shape", inputs: [source.value], outputs: [name],
          attributes: [ONNXAttribute("start", int: source.axis), ONNXAttribute("end", int: source.axis + 1)]))
      scopes[scopes.count - 1].symbols[symbol] = name
      return name
    }
    return nil
  }

  private func canCompute(_ dim: Dim) -> Bool { dim.symbols.allSatisfy(isBound) }

  func knownDim(_ dim: Dim) -> String? {
    for scope in scopes.reversed() { if let known = scope.dims[dim] { return known } }
    return nil
  }

  func remember(_ dim: Dim, as name: String) { scopes[scopes.count - 1].dims[dim] = name }
}

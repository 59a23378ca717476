import Formats
import IR
import Support

/// Turns one model into a module: keeps the graph under construction and the names in sight.
final class ONNXImporter {
  let model: ONNXModel
  let file: String
  let options: ImportOptions
  let functions: [String: ONNXFunction]
  var builder: GraphBuilder
  var notes: [String] = []
  var scopes: [ONNXScope] = []
  /// Symbols by the names the model has for them; a frozen one is a number.
  var dimensions: [String: Dim] = [:]
  /// Values whose elements follow from constants, computed once; nil where they do not.
  var constants: [ValueID: Tensor?] = [:]
  /// Lists into which nothing has been put yet, so that the type of their members is nothing to go by.
  var emptyLists: Set<ValueID> = []
  private var callDepth = 0
  /// How often `mark` may still be asked: each answer costs a copy of the graph.
  private var marksLeft = 256
  /// Nodes that functions may still put in place of their calls: a few functions that call each other often say more
  /// than any memory holds.
  private var inlinableNodes = 0

  init(model: ONNXModel, file: String, options: ImportOptions) {
    self.model = model
    self.file = file
    self.options = options
    var functions: [String: ONNXFunction] = [:]
    for function in model.functions {
      functions[ONNXImporter.key(function.domain, function.name, function.overload)] = function
    }
    self.functions = functions
    builder = GraphBuilder(
      module: Module(name: model.graph.name.isEmpty ? "model" : model.graph.name), function: Function(name: "main"))
  }

  consuming func finish() -> Module { builder.finish() }

  static func domain(_ node: ONNXNode) -> String { node.domain == "ai.onnx" ? "" : node.domain }
  static func functionKey(_ node: ONNXNode) -> String { key(node.domain, node.operatorType, node.overload) }
  private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
    "\(domain == "ai.onnx" ? "" : domain)/\(name)/\(overload)"
  }

  // MARK: The model

  func run() throws(Diagnostic) {
    let graph = model.graph
    inlinableNodes = inlinableLimit
    try ONNXSurvey.check(model, functions: functions, file: file)
    guard graph.sparseInitializers.isEmpty else { throw .unsupported("sparse initializers are not supported") }
    scopes = [ONNXScope(operatorSets: model.operatorSets, seesOuter: false)]
    let constants = Set(graph.initializers.map(\.name))
    let inputs = graph.inputs.filter { !constants.contains($0.name) }
    try checkOptions(inputs)
    try freezeSymbols(inputs)
    for input in inputs {
      let type = try valueType(of: input)
      try define(input.name, as: builder.argument(input.name, ValueFact(type)))
    }
    let yields = try importBody(of: graph)
    var names: Set<String> = []
    for output in graph.outputs where !names.insert(output.name).inserted {
      throw .invalid("two outputs are called \"\(output.name)\"")
    }
    builder.function.setResults(Array(zip(graph.outputs.map(\.name), yields)).map { (name: $0, value: $1) })
    try checkOutputs(graph.outputs, yields)
  }

  /// What the model says of its outputs must not contradict what was inferred.
  private func checkOutputs(_ outputs: [ONNXValueInfo], _ values: [ValueID]) throws(Diagnostic) {
    for (output, value) in zip(outputs, values) {
      guard let declared = output.type?.tensor, let type = builder.function.tensorType(value) else { continue }
      if let element = declared.elementType, element != type.element.storage {
        throw .invalid("output \"\(output.name)\" is declared as \(element.rawValue), but is \(type)")
      }
      guard let shape = declared.shape?.dimensions else { continue }
      let extents = shape.map { $0.value }
      let differs =
        extents.count != type.rank
        || zip(extents, type.shape).contains { declared, inferred in
          guard let declared, declared > 0, let inferred = inferred.constant else { return false }
          return declared != inferred
        }
      if differs, options.shapes.isEmpty {
        notes.append("output \"\(output.name)\" is declared with another shape than \(type), which it has")
      }
    }
  }

  /// Real models call a function as often as they have layers.
  private var inlinableLimit: Int {
    10_000 + 100 * (model.graph.nodes.count + model.functions.reduce(0) { $0 + $1.nodes.count })
  }

  // MARK: Graphs

  /// Imports initializers and nodes into the innermost scope and returns what the graph gives.
  func importBody(of graph: ONNXGraph) throws(Diagnostic) -> [ValueID] {
    var read: Set<String> = []
    for node in graph.nodes {
      for name in ONNXOrder.reads(of: node) {
        read.insert(name)
        scopes[scopes.count - 1].readers[name, default: []].append(node)
      }
    }
    for output in graph.outputs {
      read.insert(output.name)
      scopes[scopes.count - 1].outputs.insert(output.name)
    }
    var initialized: Set<String> = []
    for tensor in graph.initializers {
      guard initialized.insert(tensor.name).inserted else {
        throw .invalid("two initializers are called \"\(tensor.name)\"")
      }
      if read.contains(tensor.name) {
        builder.locations = [ONNXImporter.location(tensor.name)]
        try define(tensor.name, as: try constant(try decode(tensor), name: tensor.name))
      }
    }
    let order = try ONNXOrder(
      graph, defined: { value(named: $0) != nil }, own: { scopes[scopes.count - 1].values[$0] != nil })
    if !order.wasSorted {
      notes.append("the nodes of graph \"\(graph.name)\" are not in the order in which they run: sorted")
    }
    for node in order.nodes { try importNode(node) }
    var results: [ValueID] = []
    for output in graph.outputs {
      guard let value = value(named: output.name) else {
        throw .invalid("output \"\(output.name)\" of graph \"\(graph.name)\" is defined by nothing")
      }
      results.append(value)
    }
    return results
  }

  /// Imports a subgraph into the current block, with `arguments` for its inputs.
  func importSubgraph(_ graph: ONNXGraph, _ arguments: [ValueID]) throws(Diagnostic) -> [ValueID] {
    guard graph.inputs.count == arguments.count else {
      throw .invalid("the subgraph \"\(graph.name)\" takes \(graph.inputs.count) inputs, not \(arguments.count)")
    }
    scopes.append(ONNXScope(operatorSets: scopes[scopes.count - 1].operatorSets, seesOuter: true))
    defer { scopes.removeLast() }
    for (input, argument) in zip(graph.inputs, arguments) { try define(input.name, as: argument) }
    return try importBody(of: graph)
  }

  /// A region of an op: `body` runs with the builder inside of it.
  func region(
    _ arguments: [ValueFact], names: [String?] = [], _ body: ([ValueID]) throws(Diagnostic) -> [ValueID]
  ) throws(Diagnostic) -> BlockID {
    // The builder moves into the region and back, so that nobody ever holds two of it.
    var outer = GraphBuilder(module: Module(name: ""), function: Function(name: ""))
    swap(&outer, &builder)
    let block = try outer.region(arguments, names: names) { inner, values throws(Diagnostic) in
      swap(&inner, &self.builder)
      defer { swap(&inner, &self.builder) }
      return try body(values)
    }
    swap(&outer, &builder)
    return block
  }

  // MARK: Attempts

  /// Does what `body` does for nothing but to see it.
  func onTrial(_ body: () throws(Diagnostic) -> Void) throws(Diagnostic) {
    guard let mark = mark() else { throw .unsupported("too many bodies of loops have to be tried") }
    defer { restore(mark) }
    try body()
  }

  /// What an import that fails may leave changed.
  struct Mark {
    fileprivate let builder: GraphBuilder
    fileprivate let notes: [String]
    fileprivate let scopes: [ONNXScope]
    fileprivate let dimensions: [String: Dim]
    fileprivate let constants: [ValueID: Tensor?]
    fileprivate let emptyLists: Set<ValueID>
    fileprivate let callDepth: Int
  }

  /// The place to come back to after an attempt; nil when there have been too many.
  func mark() -> Mark? {
    guard marksLeft > 0 else { return nil }
    marksLeft -= 1
    return Mark(
      builder: builder, notes: notes, scopes: scopes, dimensions: dimensions, constants: constants,
      emptyLists: emptyLists, callDepth: callDepth)
  }

  func restore(_ mark: Mark) {
    builder = mark.builder
    notes = mark.notes
    scopes = mark.scopes
    dimensions = mark.dimensions
    constants = mark.constants
    emptyLists = mark.emptyLists
    callDepth = mark.callDepth
  }

  // MARK: Nodes

  private func importNode(_ node: ONNXNode) throws(Diagnostic) {
    let outer = builder.locations
    defer { builder.locations = outer }
    do throws(Diagnostic) {
      var operands: [ValueID?] = []
      for name in node.inputs { operands.append(name.isEmpty ? nil : try definedValue(name)) }
      builder.locations = [ONNXImporter.location(ONNXOrder.name(node))]
      let results = try call(node, operands)
      for (number, name) in node.outputs.enumerated() where !name.isEmpty {
        guard number < results.count else {
          throw .unsupported("output \(number) (\"\(name)\") is not supported")
        }
        try define(name, as: results[number])
      }
    } catch {
      var error = error
      if error.location == nil { error.location = Location(path: ONNXOrder.label(node)) }
      if error.location?.file == nil { error.location?.file = file }
      throw error
    }
  }

  private func call(_ node: ONNXNode, _ operands: [ValueID?]) throws(Diagnostic) -> [ValueID] {
    if let function = functions[ONNXImporter.functionKey(node)] { return try inline(function, node, operands) }
    let domain = ONNXImporter.domain(node)
    guard let version = scopes[scopes.count - 1].operatorSets.version(of: domain),
      let mapping = ONNXMapping.find(node.operatorType, domain: domain, version: version)
    else { throw .unsupported("this operator is not supported") }
    var names: Set<String> = []
    for attribute in node.attributes {
      guard names.insert(attribute.name).inserted else {
        throw .invalid("attribute \"\(attribute.name)\" is given twice")
      }
      guard mapping.attributes.contains(attribute.name) else {
        throw .invalid("there is no attribute \"\(attribute.name)\" in opset \(version)")
      }
    }
    guard mapping.inputs.contains(operands.count) else {
      let (low, high) = (mapping.inputs.lowerBound, mapping.inputs.upperBound)
      let expected = low == high ? "\(low)" : high == Int.max ? "at least \(low)" : "\(low) to \(high)"
      throw .invalid("has \(operands.count) inputs, expected \(expected)")
    }
    return try mapping.map(ONNXNodeContext(importer: self, node: node, version: version, operands: operands))
  }

  /// The body of a function of the model in place of a call.
  private func inline(
    _ function: ONNXFunction, _ node: ONNXNode, _ operands: [ValueID?]
  ) throws(Diagnostic) -> [ValueID] {
    guard callDepth < 64 else {
      throw .invalid("the function \"\(function.name)\" calls itself, or calls nest too deep")
    }
    inlinableNodes -= function.nodes.count
    guard inlinableNodes >= 0 else {
      throw .invalid("the functions of the model grow beyond \(inlinableLimit) nodes where they are called")
    }
    guard operands.count <= function.inputs.count else {
      throw .invalid("the function \"\(function.name)\" takes \(function.inputs.count) inputs, not \(operands.count)")
    }
    callDepth += 1
    scopes.append(ONNXScope(operatorSets: function.operatorSets, seesOuter: false))
    defer {
      callDepth -= 1
      scopes.removeLast()
    }
    var graph = ONNXGraph()
    graph.name = function.name
    graph.nodes = ONNXFunctionAttributes(call: node, function: function).resolved(function.nodes)
    var absent: Set<String> = []
    for (number, name) in function.inputs.enumerated() {
      if number < operands.count, let operand = operands[number] {
        try define(name, as: operand)
      } else {
        absent.insert(name)
      }
    }
    if !absent.isEmpty {
      for index in graph.nodes.indices {
        graph.nodes[index].inputs = graph.nodes[index].inputs.map { absent.contains($0) ? "" : $0 }
      }
    }
    graph.outputs = function.outputs.map { name in
      var info = ONNXValueInfo()
      info.name = name
      return info
    }
    return try importBody(of: graph)
  }

  /// `onnx:/layer1/Conv_3`, with one slash however the name begins.
  static func location(_ name: String) -> String { "onnx:" + (name.hasPrefix("/") ? "" : "/") + name }

  // MARK: Names

  func define(_ name: String, as value: ValueID) throws(Diagnostic) {
    guard scopes[scopes.count - 1].values.updateValue(value, forKey: name) == nil else {
      throw .invalid("\"\(name)\" is defined twice")
    }
    if builder.function[value].name == nil, builder.function.definingOp(value) != nil {
      builder.function.setName(name, of: value)
    }
  }

  func value(named name: String) -> ValueID? {
    for scope in scopes.reversed() {
      if let value = scope.values[name] { return value }
      if !scope.seesOuter { return nil }
    }
    return nil
  }

  private func definedValue(_ name: String) throws(Diagnostic) -> ValueID {
    guard let value = value(named: name) else { throw .invalid("reads \"\(name)\", which nothing defines") }
    return value
  }
}

import Formats
import IR
import Support

/// Makes the finished graph: drops what nothing reads, and gives everything the names that the source had.
struct ONNXTidying {
  private let writer: ONNXGraphWriter
  private var nodes: [ONNXNode]
  private var names: [String: String] = [:]
  private var taken: Set<String> = []
  private var takenByNodes: Set<String> = []
  private var counter = 0

  init(_ writer: ONNXGraphWriter) {
    self.writer = writer
    nodes = writer.scopes[0].nodes
  }

  consuming func graph() throws(Diagnostic) -> ONNXGraph {
    let function = writer.function
    var graph = ONNXGraph()
    graph.name = writer.module.name
    let arguments = function[function.body].arguments
    for (number, argument) in arguments.enumerated() {
      let name = try writer.name(of: argument)
      settle(name, function[argument].name ?? "input_\(number)")
      graph.inputs.append(ONNXValueInfo(names[name] ?? name, try ONNXType(function.type(argument))))
    }
    var results: [(inner: String, info: ONNXValueInfo)] = []
    for (name, value) in zip(function.resultNames, function[function.body].yields) {
      let info = ONNXValueInfo(name, try ONNXType(function.type(value)))
      results.append((nameResult(try writer.name(of: value), name), info))
    }
    graph.outputs = results.map(\.info)

    var live = Set(results.map(\.inner))
    nodes = ONNXTidying.withoutDead(nodes, &live)
    try nameValues()
    graph.valueInfo = try valueInfo(except: Set(graph.inputs.map(\.name) + graph.outputs.map(\.name)))
    graph.initializers = writer.initializers.filter { live.contains($0.name) }
    for index in graph.initializers.indices {
      graph.initializers[index].name = name(of: graph.initializers[index].name)
    }
    graph.nodes = renamed(nodes)
    return graph
  }

  // MARK: What is read

  /// The nodes that lead to `live` names, which grow by all that those read.
  private static func withoutDead(_ nodes: [ONNXNode], _ live: inout Set<String>) -> [ONNXNode] {
    var kept: [ONNXNode] = []
    for var node in nodes.reversed() where node.outputs.contains(where: live.contains) {
      live.formUnion(node.inputs.filter { !$0.isEmpty })
      for index in node.attributes.indices {
        guard var graph = node.attributes[index].graph else { continue }
        var inner = Set(graph.outputs.map(\.name))
        graph.nodes = withoutDead(graph.nodes, &inner)
        live.formUnion(inner)
        node.attributes[index].graph = graph
      }
      kept.append(node)
    }
    return kept.reversed()
  }

  // MARK: Names

  private mutating func settle(_ inner: String, _ wanted: String) { names[inner] = unique(wanted) }

  private mutating func unique(_ wanted: String) -> String {
    if taken.insert(wanted).inserted { return wanted }
    var number = 1
    while !taken.insert("\(wanted)_\(number)").inserted { number += 1 }
    return "\(wanted)_\(number)"
  }

  /// A result has its own name, so that what has one already, or is computed by nothing, goes through a node.
  private mutating func nameResult(_ inner: String, _ wanted: String) -> String {
    if names[inner] == wanted { return inner }
    let isComputed = nodes.contains { $0.outputs.contains(inner) }
    if isComputed, names[inner] == nil, taken.insert(wanted).inserted {
      names[inner] = wanted
      return inner
    }
    let copy = writer.fresh()
    nodes.append(ONNXNode("Identity", name: wanted, inputs: [inner], outputs: [copy]))
    settle(copy, wanted)
    return copy
  }

  /// Values keep the names they have in the graph, in the order in which they were made.
  private mutating func nameValues() throws(Diagnostic) {
    for (value, inner) in writer.values.sorted(by: { $0.key < $1.key }) where names[inner] == nil {
      if let name = writer.function.weightName(value) ?? writer.function[value].name { settle(inner, name) }
    }
  }

  private mutating func name(of inner: String) -> String {
    if let known = names[inner] { return known }
    // What no value of the graph is called: a step within an op, or a constant.
    counter += 1
    settle(inner, "v\(counter)")
    return names[inner] ?? inner
  }

  private mutating func renamed(_ nodes: [ONNXNode]) -> [ONNXNode] {
    var result = nodes
    for index in result.indices {
      for place in result[index].inputs.indices where !result[index].inputs[place].isEmpty {
        result[index].inputs[place] = name(of: result[index].inputs[place])
      }
      for place in result[index].outputs.indices {
        result[index].outputs[place] = name(of: result[index].outputs[place])
      }
      result[index].name = nodeName(result[index].name)
      for place in result[index].attributes.indices {
        guard var graph = result[index].attributes[place].graph else { continue }
        for number in graph.inputs.indices { graph.inputs[number].name = name(of: graph.inputs[number].name) }
        graph.nodes = renamed(graph.nodes)
        for number in graph.outputs.indices { graph.outputs[number].name = name(of: graph.outputs[number].name) }
        result[index].attributes[place].graph = graph
      }
    }
    return result
  }

  /// `/layer1/Conv_3` for what came from `onnx:/layer1/Conv_3`; a second node of the op has a number behind it.
  private mutating func nodeName(_ site: String) -> String {
    let base = site.firstIndex(of: ":").map { String(site[site.index(after: $0)...]) } ?? site
    if takenByNodes.insert(base).inserted { return base }
    var number = 1
    while !takenByNodes.insert("\(base)_\(number)").inserted { number += 1 }
    return "\(base)_\(number)"
  }

  // MARK: Types

  /// The types of the graph's values, for tools that look at them. Those of subgraphs follow.
  private func valueInfo(except known: Set<String>) throws(Diagnostic) -> [ONNXValueInfo] {
    let computed = Set(nodes.flatMap(\.outputs))
    var result: [ONNXValueInfo] = []
    var seen = known
    for (value, inner) in writer.values.sorted(by: { $0.key < $1.key }) where computed.contains(inner) {
      guard let name = names[inner], seen.insert(name).inserted else { continue }
      result.append(ONNXValueInfo(name, try ONNXType(writer.function.type(value))))
    }
    return result
  }
}

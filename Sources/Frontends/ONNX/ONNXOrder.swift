import Formats
import Support

/// The order in which the nodes of a graph can run. Files should have them so, but not all do.
struct ONNXOrder {
  let nodes: [ONNXNode]
  let wasSorted: Bool

  /// Every name that a node reads, those that its subgraphs take from outside included.
  static func reads(of node: ONNXNode) -> [String] {
    var names = node.inputs.filter { !$0.isEmpty }
    for attribute in node.attributes {
      for graph in [attribute.graph].compactMap({ $0 }) + attribute.graphs { names += freeNames(of: graph) }
    }
    return names
  }

  /// The names that a subgraph takes from outside.
  private static func freeNames(of graph: ONNXGraph) -> [String] {
    var defined = Set(graph.inputs.map(\.name) + graph.initializers.map(\.name))
    for node in graph.nodes { defined.formUnion(node.outputs) }
    var names = graph.nodes.flatMap { reads(of: $0) }
    names += graph.outputs.map(\.name)
    return names.filter { !defined.contains($0) }
  }

  /// `defined` are the names that exist before any node has run, `own` those of them that this graph defines itself.
  init(
    _ graph: ONNXGraph, defined: (String) -> Bool, own: (String) -> Bool
  ) throws(Diagnostic) {
    var producers: [String: Int] = [:]
    for (number, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty {
        guard producers[output] == nil else {
          throw .invalid("two nodes define \"\(output)\"", at: Location(path: ONNXOrder.label(node)))
        }
        guard !own(output) else {
          throw .invalid("\"\(output)\" is defined twice", at: Location(path: ONNXOrder.label(node)))
        }
        producers[output] = number
      }
    }
    var pending: [Int] = []
    var followers: [[Int]] = Array(repeating: [], count: graph.nodes.count)
    var isSorted = true
    for (number, node) in graph.nodes.enumerated() {
      var count = 0
      for name in ONNXOrder.reads(of: node) {
        guard let producer = producers[name] else {
          guard defined(name) else {
            throw .invalid("reads \"\(name)\", which nothing defines", at: Location(path: ONNXOrder.label(node)))
          }
          continue
        }
        if producer >= number { isSorted = false }
        followers[producer].append(number)
        count += 1
      }
      pending.append(count)
    }
    wasSorted = isSorted
    if isSorted {
      nodes = graph.nodes
      return
    }
    var ready = pending.indices.filter { pending[$0] == 0 }
    var next = 0
    while next < ready.count {
      for follower in followers[ready[next]] {
        pending[follower] -= 1
        if pending[follower] == 0 { ready.append(follower) }
      }
      next += 1
    }
    if let stuck = pending.indices.first(where: { pending[$0] > 0 }) {
      throw .invalid(
        "waits for its own result: the graph has a cycle", at: Location(path: ONNXOrder.label(graph.nodes[stuck])))
    }
    nodes = ready.map { graph.nodes[$0] }
  }

  /// What errors call a node: `node "conv1" (Conv)`, by its first output where it has no name.
  static func label(_ node: ONNXNode) -> String {
    "node \"\(name(node))\" (\(node.domain.isEmpty ? "" : node.domain + ".")\(node.operatorType))"
  }

  static func name(_ node: ONNXNode) -> String {
    node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? "" : node.name
  }
}

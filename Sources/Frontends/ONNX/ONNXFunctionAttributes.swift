import Formats

/// Puts the attributes of a call, or the function's defaults, where a function's nodes refer to them.
struct ONNXFunctionAttributes {
  private let values: [String: ONNXAttribute]

  init(call: ONNXNode, function: ONNXFunction) {
    var values: [String: ONNXAttribute] = [:]
    for attribute in function.attributeDefaults { values[attribute.name] = attribute }
    for attribute in call.attributes { values[attribute.name] = attribute }
    self.values = values
  }

  /// An attribute that nobody gives is left out, as if the node had not named it.
  func resolved(_ nodes: [ONNXNode]) -> [ONNXNode] {
    nodes.map { node in
      var node = node
      node.attributes = node.attributes.compactMap { attribute in
        var attribute = attribute
        if !attribute.reference.isEmpty {
          guard var value = values[attribute.reference] else { return nil }
          value.name = attribute.name
          return value
        }
        if var graph = attribute.graph {
          graph.nodes = resolved(graph.nodes)
          attribute.graph = graph
        }
        return attribute
      }
      return node
    }
  }
}

import Formats
import IR

/// The names of one graph: a subgraph sees the scopes around it, a function does not.
struct ONNXScope {
  var values: [String: ValueID] = [:]
  /// How often nodes and outputs, those of subgraphs included, read each name of this graph.
  var readers: [String: [ONNXNode]] = [:]
  var outputs: Set<String> = []
  let operatorSets: [ONNXOperatorSet]
  /// False at the edge of a function, through which names are not visible.
  let seesOuter: Bool
}

import Formats
import Support

/// Looks through a whole model for operators without a mapping, so that one message names them all.
struct ONNXSurvey {
  private var missing: [String] = []
  private var seen: Set<String> = []
  private let functions: [String: ONNXFunction]

  static func check(_ model: ONNXModel, functions: [String: ONNXFunction], file: String) throws(Diagnostic) {
    var survey = ONNXSurvey(functions: functions)
    survey.visit(model.graph.nodes, model.operatorSets)
    guard !survey.missing.isEmpty else { return }
    let list = survey.missing.joined(separator: ", ")
    throw .unsupported(
      survey.missing.count == 1
        ? "the operator \(list) is not supported" : "\(survey.missing.count) operators are not supported: \(list)",
      at: Location(file: file))
  }

  private init(functions: [String: ONNXFunction]) { self.functions = functions }

  private mutating func visit(_ nodes: [ONNXNode], _ operatorSets: [ONNXOperatorSet]) {
    for node in nodes {
      for attribute in node.attributes {
        for graph in [attribute.graph].compactMap({ $0 }) + attribute.graphs { visit(graph.nodes, operatorSets) }
      }
      if let function = functions[ONNXImporter.functionKey(node)] {
        if seen.insert("function " + ONNXImporter.functionKey(node)).inserted {
          visit(function.nodes, function.operatorSets)
        }
        continue
      }
      visit(node, operatorSets)
    }
  }

  private mutating func visit(_ node: ONNXNode, _ operatorSets: [ONNXOperatorSet]) {
    let domain = ONNXImporter.domain(node)
    let version = operatorSets.version(of: domain)
    if let version, ONNXMapping.find(node.operatorType, domain: domain, version: version) != nil { return }
    let name = (domain.isEmpty ? "" : domain + ".") + node.operatorType
    guard seen.insert(name).inserted else { return }
    var details: [String] = []
    if let version {
      let served = ONNXMapping.versions(of: node.operatorType, domain: domain)
      details.append("opset \(version)")
      if !served.isEmpty {
        details.append("served in " + served.map { "\($0.lowerBound) to \($0.upperBound)" }.joined(separator: ", "))
      }
    } else {
      details.append("the model names no operator set \"\(domain)\"")
    }
    details.append("node \"\(ONNXOrder.name(node))\"")
    missing.append("\(name) (\(details.joined(separator: ", ")))")
  }
}

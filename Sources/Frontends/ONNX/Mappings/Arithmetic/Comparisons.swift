import IR
import Support

extension ONNXMapping {
  static let comparisons: [ONNXMapping] = [comparison, orEqual, choice]

  private static let compareFunctions: [String: Compare.Function] = [
    "Equal": .equal, "Less": .less, "Greater": .greater, "LessOrEqual": .lessEqual, "GreaterOrEqual": .greaterEqual,
  ]

  static let comparison = ONNXMapping(["Equal", "Less", "Greater"], 7...newest, inputs: 2...2) { c throws(Diagnostic) in
    [try c.compare(compareFunctions[c.node.operatorType] ?? .equal, try c.input(0), try c.input(1))]
  }

  static let orEqual = ONNXMapping(["LessOrEqual", "GreaterOrEqual"], 12...newest, inputs: 2...2) {
    c throws(Diagnostic) in
    [try c.compare(compareFunctions[c.node.operatorType] ?? .equal, try c.input(0), try c.input(1))]
  }

  static let choice = ONNXMapping(["Where"], 9...newest, inputs: 3...3) { c throws(Diagnostic) in
    [try c.select(try c.input(0), try c.input(1), try c.input(2))]
  }
}

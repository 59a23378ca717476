import IR
import Support

extension ONNXMapping {
  static let orderings: [ONNXMapping] = [
    cumulativeSum, cumulativeProduct, topKByAttribute, topK, unique, nonMaxSuppression,
  ]

  static let cumulativeSum = ONNXMapping(
    ["CumSum"], 11...newest, inputs: 2...2, attributes: ["exclusive", "reverse"]
  ) { c throws(Diagnostic) in [try c.cumulative(.sum)] }

  static let cumulativeProduct = ONNXMapping(
    ["CumProd"], 26...newest, inputs: 2...2, attributes: ["exclusive", "reverse"]
  ) { c throws(Diagnostic) in [try c.cumulative(.product)] }
}

extension ONNXNodeContext {
  fileprivate func cumulative(_ function: Cumulative.Function) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    guard let axis = try constantIntegers(1, "axis")?.first else { throw .invalid("the axis is missing") }
    let kind = Cumulative(
      function, axis: try self.axis(axis, rank: try rank(x)), exclusive: try flag("exclusive", default: false),
      reverse: try flag("reverse", default: false))
    return try add(kind, x)
  }
}

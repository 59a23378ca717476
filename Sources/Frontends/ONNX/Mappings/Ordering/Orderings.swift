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
    let rank = try rank(x)
    var kind = Cumulative(
      function, axis: 0, exclusive: try flag("exclusive", default: false), reverse: try flag("reverse", default: false))
    if let known = integers(try input(1)), let number = known.first {
      kind.axis = try axis(number, rank: rank)
      return try add(kind, x)
    }
    // An axis that only the run knows: one of as many branches.
    let axis = try reshape(try counted(try input(1), in: Dim(rank)), [])
    var result = x
    for number in 0..<rank {
      kind.axis = number
      let (chosen, value) = (kind, result)
      let condition = try compare(.equal, axis, try scalar(number))
      let computed = try importer.region([]) { _ throws(Diagnostic) in [try add(chosen, x)] }
      let kept = try importer.region([]) { _ throws(Diagnostic) in [value] }
      result = try importer.builder.add(If(), [condition], regions: [computed, kept])[0]
    }
    return result
  }
}

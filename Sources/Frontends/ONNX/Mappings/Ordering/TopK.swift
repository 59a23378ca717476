import IR
import Support

extension ONNXMapping {
  static let topKByAttribute = ONNXMapping(["TopK"], 1...9, inputs: 1...1, attributes: ["axis", "k"]) {
    c throws(Diagnostic) in
    guard let k = try c.int("k") else { throw .invalid("attribute \"k\" is missing") }
    return try c.topK(Dim(k))
  }

  /// Always sorted: the format leaves the order open where it does not ask for it.
  static let topK = ONNXMapping(
    ["TopK"], 10...newest, inputs: 2...2, attributes: ["axis", "largest", "sorted"]
  ) { c throws(Diagnostic) in
    try c.topK(try c.extent(of: try c.input(1), "k"))
  }
}

extension ONNXNodeContext {
  fileprivate func topK(_ k: Dim) throws(Diagnostic) -> [ValueID] {
    let x = try input(0)
    let axis = try axis(try int("axis", default: -1), rank: try rank(x))
    return try results(TopK(axis: axis, k: k, largest: try flag("largest", default: true)), [x])
  }
}

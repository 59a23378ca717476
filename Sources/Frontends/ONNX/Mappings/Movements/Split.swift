import IR
import Support

extension ONNXMapping {
  static let splitByAttribute = ONNXMapping(
    ["Split"], 2...12, inputs: 1...1, attributes: ["axis", "split"]
  ) { c throws(Diagnostic) in
    try c.split(sizes: try c.ints("split")?.map { Dim($0) })
  }

  static let split = ONNXMapping(
    ["Split"], 13...newest, inputs: 1...2, attributes: ["axis", "num_outputs"]
  ) { c throws(Diagnostic) in
    guard let sizes = c.optionalInput(1) else { return try c.split(sizes: nil) }
    return try c.split(sizes: try c.extents(of: sizes, "part"))
  }
}

extension ONNXNodeContext {
  fileprivate func split(sizes given: [Dim]?) throws(Diagnostic) -> [ValueID] {
    let x = try input(0)
    let axis = try axis(try int("axis", default: 0), rank: try rank(x))
    let extent = try shape(x)[axis]
    let count = node.outputs.count
    guard count > 0 else { return [] }
    var sizes: [Dim] = []
    if let given {
      guard given.count == count else { throw .invalid("\(given.count) parts are given for \(count) outputs") }
      sizes = given
      if let total = given.reduce(Dim(0), +).constant, let all = extent.constant, total != all {
        throw .invalid("parts of \(given) do not make up \(extent) elements")
      }
    } else {
      if let parts = try int("num_outputs"), parts != count {
        throw .invalid("num_outputs is \(parts), but there are \(count) outputs")
      }
      // Equal parts; the last one may be smaller.
      let part = extent.ceilDivided(by: Dim(count))
      sizes = Array(repeating: part, count: count - 1) + [extent - part * (count - 1)]
    }
    var results: [ValueID] = []
    var start = Dim(0)
    for size in sizes {
      results.append(try slice(x, axis: axis, start: start, size: size))
      start = start + size
    }
    return results
  }
}

import IR
import Support

extension ONNXMapping {
  /// `Scatter` is what `ScatterElements` was called first.
  static let scatterElements = ONNXMapping(
    ["ScatterElements", "Scatter"], 9...newest, inputs: 3...3, attributes: ["axis", "reduction"]
  ) { c throws(Diagnostic) in
    let kind = ScatterElements(axis: try c.int("axis", default: 0), try c.scatterReduction())
    return [try c.add(kind, try c.input(0), try c.input(1), try c.input(2))]
  }

  static let scatterND = ONNXMapping(["ScatterND"], 11...newest, inputs: 3...3, attributes: ["reduction"]) {
    c throws(Diagnostic) in
    [try c.add(ScatterND(try c.scatterReduction()), try c.input(0), try c.input(1), try c.input(2))]
  }
}

extension ONNXNodeContext {
  fileprivate func scatterReduction() throws(Diagnostic) -> ScatterReduction {
    let name = try string("reduction", default: "none")
    guard let reduction = ScatterReduction(rawValue: name) else { throw .invalid("reduction is \"\(name)\"") }
    return reduction
  }
}

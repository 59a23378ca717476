import IR
import Support

extension ONNXMapping {
  static let indexings: [ONNXMapping] = [
    gatherElements, gatherND, scatterElements, scatterND, reverseSequence, oneHot, compress,
    tensorScatter,
  ]

  static let gatherElements = ONNXMapping(
    ["GatherElements"], 11...newest, inputs: 2...2, attributes: ["axis"]
  ) { c throws(Diagnostic) in
    [try c.add(GatherElements(axis: try c.int("axis", default: 0)), try c.input(0), try c.input(1))]
  }

  static let gatherND = ONNXMapping(["GatherND"], 11...newest, inputs: 2...2, attributes: ["batch_dims"]) {
    c throws(Diagnostic) in
    [try c.add(GatherND(batchDims: try c.int("batch_dims", default: 0)), try c.input(0), try c.input(1))]
  }
}

extension ONNXNodeContext {
  /// Indices counted from the start, as i64.
  func counted(_ indices: ValueID, in extent: Dim) throws(Diagnostic) -> ValueID {
    let index = try cast(indices, to: .i64)
    if let known = integers(index), known.allSatisfy({ $0 >= 0 }) { return index }
    let isNegative = try compare(.less, index, try scalar(0))
    return try select(isNegative, try binary(.add, index, try dimension(extent)), index)
  }
}

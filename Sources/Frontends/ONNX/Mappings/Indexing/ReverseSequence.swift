import IR
import Support

extension ONNXMapping {
  static let reverseSequence = ONNXMapping(
    ["ReverseSequence"], 10...newest, inputs: 2...2, attributes: ["batch_axis", "time_axis"]
  ) { c throws(Diagnostic) in
    let kind = ReverseSequence(
      batchAxis: try c.int("batch_axis", default: 1), timeAxis: try c.int("time_axis", default: 0))
    return [try c.add(kind, try c.input(0), try c.input(1))]
  }
}

import IR
import Support

extension ONNXMapping {
  static let sequences: [ONNXMapping] = [sequenceConstruct, sequenceAt, sequenceLength]

  static let sequenceConstruct = ONNXMapping(["SequenceConstruct"], 11...newest, inputs: 1...Int.max) {
    c throws(Diagnostic) in
    let elements = try c.allInputs()
    let types = elements.map { c.fact($0).type }
    for type in types where type != types[0] {
      throw .unsupported("a sequence of \(types[0]) and \(type) is not supported: its elements need one type")
    }
    return try c.importer.builder.add(SequenceMake(), elements)
  }

  static let sequenceAt = ONNXMapping(["SequenceAt"], 11...newest, inputs: 2...2) { c throws(Diagnostic) in
    [try c.add(SequenceAt(), try c.input(0), try c.reshape(try c.input(1), []))]
  }

  static let sequenceLength = ONNXMapping(["SequenceLength"], 11...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.add(SequenceLength(), try c.input(0))]
  }
}

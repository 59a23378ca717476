import Formats
import IR
import Support

extension ONNXMapping {
  static let scan = ONNXMapping(
    ["Scan"], 9...newest, inputs: 1...Int.max,
    attributes: [
      "body", "num_scan_inputs", "scan_input_axes", "scan_input_directions", "scan_output_axes",
      "scan_output_directions",
    ]
  ) { c throws(Diagnostic) in
    let operands = try c.allInputs()
    let kind = Scan(
      states: operands.count - (try c.scannedInputs(of: operands.count)),
      axes: try c.ints("scan_input_axes") ?? [],
      reversed: try c.backwards("scan_input_directions"),
      outputAxes: try c.ints("scan_output_axes") ?? [],
      outputReversed: try c.backwards("scan_output_directions"))
    return try c.scan(kind, operands)
  }

  /// Before opset 9 there is a batch in front of everything: a scan along it, without states, of the scan that is meant.
  static let batchedScan = ONNXMapping(
    ["Scan"], 8...8, inputs: 2...Int.max, attributes: ["body", "directions", "num_scan_inputs"]
  ) { c throws(Diagnostic) in
    if c.optionalInput(0) != nil { throw .unsupported("a scan with sequence_lens is not supported") }
    var operands: [ValueID] = []
    for number in c.operands.indices.dropFirst() { operands.append(try c.input(number)) }
    let inner = Scan(
      states: operands.count - (try c.scannedInputs(of: operands.count)), reversed: try c.backwards("directions"))
    let outer = Scan(states: 0)
    let facts = try c.arguments(of: outer, operands)
    let block = try c.importer.region(facts) { items throws(Diagnostic) in try c.scan(inner, items) }
    return try c.importer.builder.add(outer, operands, regions: [block])
  }
}

extension ONNXNodeContext {
  /// The attribute that says how many inputs, the last ones, are walked.
  fileprivate func scannedInputs(of count: Int) throws(Diagnostic) -> Int {
    guard let scanned = try int("num_scan_inputs") else { throw .invalid("attribute \"num_scan_inputs\" is missing") }
    guard scanned > 0, scanned <= count else {
      throw .invalid("num_scan_inputs is \(scanned), of \(count) inputs")
    }
    return scanned
  }

  /// The numbers that a list of directions has a one at.
  fileprivate func backwards(_ name: String) throws(Diagnostic) -> [Int] {
    let directions = try ints(name) ?? []
    for direction in directions where direction != 0 && direction != 1 {
      throw .invalid("\(name) has a direction \(direction), expected 0 or 1")
    }
    return directions.indices.filter { directions[$0] == 1 }
  }

  fileprivate func arguments(of kind: Scan, _ operands: [ValueID]) throws(Diagnostic) -> [ValueFact] {
    var context = importer.builder.module.inferenceContext
    return try kind.regionArguments(operands.map(fact), region: 0, in: &context)
  }

  /// The scan of the node's body.
  fileprivate func scan(_ kind: Scan, _ operands: [ValueID]) throws(Diagnostic) -> [ValueID] {
    let body = try graph("body")
    guard body.inputs.count == operands.count, body.outputs.count >= kind.states else {
      throw .invalid(
        "the body has \(body.inputs.count) inputs and \(body.outputs.count) outputs for \(operands.count) values, "
          + "\(kind.states) of them states")
    }
    let facts = try arguments(of: kind, operands)
    let block = try importer.region(facts, names: body.inputs.map(\.name)) { arguments throws(Diagnostic) in
      var yields = try importer.importSubgraph(body, arguments)
      for (number, state) in facts.prefix(kind.states).enumerated() {
        if let kept = try restored(yields[number], to: state.type) { yields[number] = kept }
      }
      for (number, state) in facts.prefix(kind.states).enumerated() where fact(yields[number]).type != state.type {
        throw .unsupported(
          "state \"\(body.inputs[number].name)\" is \(state.type) at first and \(fact(yields[number]).type) later; "
            + "it must keep its type")
      }
      return yields
    }
    return try importer.builder.add(kind, operands, regions: [block])
  }
}

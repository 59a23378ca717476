import Formats
import IR
import Support

extension Fusion: ONNXEmission {
  /// The ops of the region, in place of the op.
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let body = c.operation.regions[0]
    for (argument, name) in zip(c.writer.function[body].arguments, try c.inputs()) {
      c.writer.define(argument, as: name)
    }
    try c.writer.emit(body)
    return try c.writer.function[body].yields.map { value throws(Diagnostic) in try c.writer.name(of: value) }
  }
}

extension If: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    var attributes: [ONNXAttribute] = []
    for (number, name) in ["then", "else"].enumerated() {
      let graph = try c.subgraph(number, name: name, arguments: [])
      attributes.append(ONNXAttribute(name + "_branch", graph: graph))
    }
    return c.nodes("If", [try c.input(0)], attributes, outputs: c.operation.results.count)
  }
}

extension Loop: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let arguments = c.writer.function[c.operation.regions[0]].arguments
    let graph = try c.subgraph(0, name: "body", arguments: arguments)
    var inputs = try c.inputs()
    // Without either bound the format takes a loop for one without end.
    if inputs[0].isEmpty, inputs.count > 1, inputs[1].isEmpty { inputs[1] = try c.constant(.scalar(1, .bool)) }
    return c.nodes("Loop", inputs, [ONNXAttribute("body", graph: graph)], outputs: c.operation.results.count)
  }
}

extension Scan: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let body = c.operation.regions[0]
    let graph = try c.subgraph(0, name: "body", arguments: c.writer.function[body].arguments)
    let scanned = c.operation.operands.count - states
    let stacked = c.operation.results.count - states
    var attributes = [ONNXAttribute("body", graph: graph), ONNXAttribute("num_scan_inputs", int: scanned)]
    if !axes.isEmpty { attributes.append(ONNXAttribute("scan_input_axes", ints: axes)) }
    if !reversed.isEmpty {
      attributes.append(
        ONNXAttribute("scan_input_directions", ints: (0..<scanned).map { reversed.contains($0) ? 1 : 0 }))
    }
    if !outputAxes.isEmpty { attributes.append(ONNXAttribute("scan_output_axes", ints: outputAxes)) }
    if !outputReversed.isEmpty {
      let directions = (0..<stacked).map { outputReversed.contains($0) ? 1 : 0 }
      attributes.append(ONNXAttribute("scan_output_directions", ints: directions))
    }
    return c.nodes("Scan", try c.inputs(), attributes, outputs: c.operation.results.count)
  }
}

extension ONNXEmissionContext {
  /// Region `number` as a graph with these inputs.
  fileprivate func subgraph(_ number: Int, name: String, arguments: [ValueID]) throws(Diagnostic) -> ONNXGraph {
    let block = operation.regions[number]
    let function = writer.function
    let names = arguments.map { _ in writer.fresh() }
    return try writer.subgraph(
      named: name, arguments: zip(names, arguments).map { (name: $0, type: function.type($1)) }
    ) { () throws(Diagnostic) in
      for (argument, name) in zip(arguments, names) { writer.define(argument, as: name) }
      try writer.emit(block)
      return try function[block].yields.map { value throws(Diagnostic) in
        (name: try writer.name(of: value), type: function.type(value))
      }
    }
  }
}

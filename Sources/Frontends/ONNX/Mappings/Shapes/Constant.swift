import IR
import Support

extension ONNXMapping {
  static let constantNode = ONNXMapping(
    ["Constant"], 1...newest, inputs: 0...0,
    attributes: [
      "sparse_value", "value", "value_float", "value_floats", "value_int", "value_ints", "value_string",
      "value_strings",
    ]
  ) { c throws(Diagnostic) in
    guard c.node.attributes.count == 1 else {
      throw .invalid("has \(c.node.attributes.count) attributes, expected the one that gives the value")
    }
    var tensor = try c.tensorAttribute("value")
    if let value = try c.float("value_float") { tensor = .scalar(value, .f32) }
    if let values = try c.floats("value_floats") {
      tensor = Tensor(.f32, [values.count], doubles: values.map { Double($0) })
    }
    if let value = try c.int("value_int") { tensor = .scalar(value) }
    if let values = try c.ints("value_ints") { tensor = Tensor(.i64, [values.count], integers: values) }
    if let text = try c.bytes("value_string") { tensor = Tensor(strings: [text], shape: []) }
    if let texts = try c.byteStrings("value_strings") { tensor = Tensor(strings: texts, shape: [texts.count]) }
    guard let tensor else { throw .unsupported("sparse constants are not supported") }
    return [try c.importer.constant(tensor, name: c.node.outputs.first ?? "constant")]
  }
}

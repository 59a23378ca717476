import Formats
import IR
import Support

extension ONNXMapping {
  /// Keys that are texts are searched for; their values are gathered, the default one behind all others.
  static let labelEncoder = ONNXMapping(
    ["LabelEncoder"], 2...newest, inputs: 1...1,
    attributes: [
      "default_float", "default_int64", "default_string", "default_tensor", "keys_floats", "keys_int64s",
      "keys_strings", "keys_tensor", "values_floats", "values_int64s", "values_strings", "values_tensor",
    ], domain: "ai.onnx.ml"
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    guard try c.element(x) == .string else { throw .unsupported("keys that are no texts are not supported") }
    var keys = try c.byteStrings("keys_strings")
    if let tensor = try c.tensorAttribute("keys_tensor") { keys = tensor.storage == .string ? tensor.strings : nil }
    guard let keys else { throw .invalid("the input is of texts, but the keys are not") }
    let (values, missing) = try c.labels()
    guard values.shape == [keys.count], missing.count == 1, values.element == missing.element else {
      throw .invalid("\(keys.count) keys have values \(values.type) and the default \(missing.type)")
    }
    // Where a key comes twice, its last value counts; the search finds the first.
    var last: [[UInt8]: Int] = [:]
    for (number, key) in keys.enumerated() { last[key] = number }
    let order = keys.map { last[$0] ?? 0 }
    let table = try c.concat(
      [
        try c.constant(values.picking(order, shape: [keys.count])), try c.constant(missing.reshaped([1])),
      ], axis: 0)
    return [try c.add(Gather(axis: 0), table, try c.add(StringFind(keys: keys), x))]
  }
}

extension ONNXNodeContext {
  /// The values of all keys, and that of what is none.
  fileprivate func labels() throws(Diagnostic) -> (values: Tensor, missing: Tensor) {
    if let values = try tensorAttribute("values_tensor") {
      if let missing = try tensorAttribute("default_tensor") { return (values, missing) }
      guard let element = values.storage else { throw .invalid("values of \(values.element)") }
      if element == .string { return (values, Tensor(strings: [Array("_Unused".utf8)], shape: [])) }
      return (values, element.isFloat ? .scalar(-0.0, element) : .scalar(-1, element))
    }
    if let texts = try byteStrings("values_strings") {
      let missing = try bytes("default_string") ?? Array("_Unused".utf8)
      return (Tensor(strings: texts, shape: [texts.count]), Tensor(strings: [missing], shape: []))
    }
    if let integers = try ints("values_int64s") {
      return (Tensor(.i64, [integers.count], integers: integers), .scalar(try int("default_int64", default: -1)))
    }
    guard let floats = try floats("values_floats") else { throw .invalid("no values are given") }
    let values = Tensor(.f32, [floats.count], doubles: floats.map { Double($0) })
    return (values, .scalar(try float("default_float", default: -0.0), .f32))
  }
}

import IR
import Support

extension ONNXMapping {
  static let gelu = ONNXMapping(["Gelu"], 20...newest, inputs: 1...1, attributes: ["approximate"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    switch try c.string("approximate", default: "none") {
    case "none": return [try c.unary(.gelu, x)]
    case "tanh": return [try c.unary(.geluTanh, x)]
    case let other: throw .invalid("approximate is \"\(other)\", expected none or tanh")
    }
  }

  /// The same functions under the names they had before they were standardised, some with a bias added first.
  static let microsoftGelu = ONNXMapping(
    ["Gelu", "BiasGelu", "FastGelu"], 1...1, inputs: 1...2, domain: microsoftDomain
  ) { c throws(Diagnostic) in
    var x = try c.input(0)
    if let bias = c.optionalInput(1) { x = try c.binary(.add, x, bias) }
    return [try c.unary(c.node.operatorType == "FastGelu" ? .geluTanh : .gelu, x)]
  }
}

import IR
import Support

extension ONNXMapping {
  static let gelu = ONNXMapping(["Gelu"], 20...newest, inputs: 1...1, attributes: ["approximate"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    switch try c.string("approximate", default: "none") {
    case "none": return [try c.gelu(x)]
    case "tanh": return [try c.tanhGelu(x)]
    case let other: throw .invalid("approximate is \"\(other)\", expected none or tanh")
    }
  }

  /// The same functions under the names they had before they were standardised, some with a bias added first.
  static let microsoftGelu = ONNXMapping(
    ["Gelu", "BiasGelu", "FastGelu"], 1...1, inputs: 1...2, domain: "com.microsoft"
  ) { c throws(Diagnostic) in
    var x = try c.input(0)
    if let bias = c.optionalInput(1) { x = try c.binary(.add, x, bias) }
    return [c.node.operatorType == "FastGelu" ? try c.tanhGelu(x) : try c.gelu(x)]
  }
}

extension ONNXNodeContext {
  /// `0.5 x (1 + erf(x / sqrt 2))`
  func gelu(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let scaled = try binary(.mul, x, try number(0.5.squareRoot(), like: x))
    let factor = try binary(.add, try unary(.erf, scaled), try number(1, like: x))
    return try binary(.mul, try binary(.mul, x, try number(0.5, like: x)), factor)
  }

  /// `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`
  func tanhGelu(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let square = try binary(.mul, x, x)
    let cubic = try binary(.mul, try binary(.mul, square, try number(0.044715, like: x)), x)
    let inner = try binary(.mul, try binary(.add, x, cubic), try number((2 / Double.pi).squareRoot(), like: x))
    let factor = try binary(.add, try unary(.tanh, inner), try number(1, like: x))
    return try binary(.mul, try binary(.mul, x, try number(0.5, like: x)), factor)
  }
}

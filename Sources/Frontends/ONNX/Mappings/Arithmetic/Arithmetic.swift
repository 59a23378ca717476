import IR
import Support

extension ONNXMapping {
  /// Sums, comparisons of numbers, logic: element by element.
  static let arithmetic: [ONNXMapping] = [
    binary, variadic, mean, power, modulo, logic, bitwise, bitShift, functions, absolute, identity, reciprocal,
    negation, isInfinite,
  ]

  private static let binaryFunctions: [String: Binary.Function] = ["Add": .add, "Sub": .sub, "Mul": .mul, "Div": .div]

  /// Two operands that broadcast. Before opset 7 broadcasting was an attribute.
  static let binary = ONNXMapping(["Add", "Sub", "Mul", "Div"], 7...newest, inputs: 2...2) { c throws(Diagnostic) in
    let function = binaryFunctions[c.node.operatorType] ?? .add
    return [try c.binary(function, try c.input(0), try c.input(1))]
  }

  private static let variadicFunctions: [String: Binary.Function] = ["Min": .minimum, "Max": .maximum, "Sum": .add]

  static let variadic = ONNXMapping(["Min", "Max", "Sum"], 6...newest, inputs: 1...Int.max) { c throws(Diagnostic) in
    let function = variadicFunctions[c.node.operatorType] ?? .add
    var result = try c.input(0)
    for number in c.operands.indices.dropFirst() { result = try c.binary(function, result, try c.input(number)) }
    return [result]
  }

  static let mean = ONNXMapping(["Mean"], 6...newest, inputs: 1...Int.max) { c throws(Diagnostic) in
    var sum = try c.input(0)
    for number in c.operands.indices.dropFirst() { sum = try c.binary(.add, sum, try c.input(number)) }
    return [try c.binary(.div, sum, try c.number(Double(c.operands.count), like: sum))]
  }

  private static let unaryFunctions: [String: Unary.Function] = [
    "Neg": .neg, "Abs": .abs, "Sign": .sign, "Exp": .exp, "Log": .log, "Sqrt": .sqrt, "Erf": .erf, "Floor": .floor,
    "Ceil": .ceil, "Round": .round, "Sin": .sin, "Cos": .cos, "Tanh": .tanh, "Sigmoid": .sigmoid,
    "IsNaN": .isNaN, "BitwiseNot": .bitNot, "Relu": .relu, "Tan": .tan, "Asin": .asin, "Acos": .acos, "Atan": .atan,
    "Sinh": .sinh, "Cosh": .cosh, "Asinh": .asinh, "Acosh": .acosh, "Atanh": .atanh,
  ]

  static let functions = ONNXMapping(
    [
      "Neg", "Exp", "Log", "Sqrt", "Erf", "Floor", "Ceil", "Round", "Sin", "Cos", "Tanh", "Sigmoid", "IsNaN",
      "BitwiseNot", "Relu", "Sign", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh",
    ], 6...newest, inputs: 1...1
  ) { c throws(Diagnostic) in
    [try c.unary(unaryFunctions[c.node.operatorType] ?? .neg, try c.input(0))]
  }

  static let absolute = ONNXMapping(["Abs"], 6...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.unary(.abs, try c.input(0))]
  }

  static let identity = ONNXMapping(["Identity"], 1...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.input(0)]
  }

  static let negation = ONNXMapping(["Not"], 1...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.unary(.not, try c.input(0))]
  }

  static let reciprocal = ONNXMapping(["Reciprocal"], 6...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.unary(.reciprocal, try c.input(0))]
  }

  static let isInfinite = ONNXMapping(
    ["IsInf"], 10...newest, inputs: 1...1, attributes: ["detect_negative", "detect_positive"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let positive = try c.flag("detect_positive", default: true)
    let negative = try c.flag("detect_negative", default: true)
    guard positive || negative else { return [try c.broadcast(try c.scalar(0, .bool), try c.shape(x))] }
    let subject = positive && negative ? try c.unary(.abs, x) : x
    return [try c.compare(.equal, subject, try c.number(positive ? .infinity : -.infinity, like: x))]
  }
}

import IR
import Support

extension ONNXMapping {
  private static let logicFunctions: [String: Binary.Function] = [
    "And": .and, "Or": .or, "Xor": .xor, "BitwiseAnd": .and, "BitwiseOr": .or, "BitwiseXor": .xor,
  ]

  static let logic = ONNXMapping(["And", "Or", "Xor"], 7...newest, inputs: 2...2) { c throws(Diagnostic) in
    [try c.binary(logicFunctions[c.node.operatorType] ?? .and, try c.input(0), try c.input(1))]
  }

  static let bitwise = ONNXMapping(
    ["BitwiseAnd", "BitwiseOr", "BitwiseXor"], 18...newest, inputs: 2...2
  ) { c throws(Diagnostic) in
    [try c.binary(logicFunctions[c.node.operatorType] ?? .and, try c.input(0), try c.input(1))]
  }

  static let bitShift = ONNXMapping(
    ["BitShift"], 11...newest, inputs: 2...2, attributes: ["direction"]
  ) { c throws(Diagnostic) in
    let direction = try c.string("direction", default: "")
    guard direction == "LEFT" || direction == "RIGHT" else {
      throw .invalid("direction is \"\(direction)\", expected LEFT or RIGHT")
    }
    return [try c.binary(direction == "LEFT" ? .shiftLeft : .shiftRight, try c.input(0), try c.input(1))]
  }
}

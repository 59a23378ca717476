import Formats
import IR
import Support

extension Unary: ONNXEmission {
  /// What has an operator of its own.
  private static let operators: [Function: String] = {
    var table: [Function: String] = [.neg: "Neg", .abs: "Abs", .sign: "Sign", .relu: "Relu", .not: "Not"]
    table[.sqrt] = "Sqrt"
    table[.reciprocal] = "Reciprocal"
    table[.sigmoid] = "Sigmoid"
    table[.erf] = "Erf"
    table[.exp] = "Exp"
    table[.log] = "Log"
    table[.sin] = "Sin"
    table[.cos] = "Cos"
    table[.tan] = "Tan"
    table[.asin] = "Asin"
    table[.acos] = "Acos"
    table[.atan] = "Atan"
    table[.sinh] = "Sinh"
    table[.cosh] = "Cosh"
    table[.tanh] = "Tanh"
    table[.asinh] = "Asinh"
    table[.acosh] = "Acosh"
    table[.atanh] = "Atanh"
    table[.floor] = "Floor"
    table[.ceil] = "Ceil"
    table[.round] = "Round"
    table[.bitNot] = "BitwiseNot"
    table[.hardSwish] = "HardSwish"
    return table
  }()

  /// Operators that runtimes have for few types, and the types they have them in.
  private static let narrowOperators: [Function: [ElementType: ElementType]] = {
    let inSingle: [ElementType: ElementType] = [.f64: .f32]
    return [.hardSwish: inSingle]
  }()

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let x = try c.input(0)
    let element = try c.element(0)
    if function == .not || function == .bitNot { return [c.node(Unary.operators[function] ?? "", [x])] }
    if function == .isNaN {
      return [c.node("IsNaN", [element == .bf16 || element.bits <= 8 ? c.cast(x, to: .f32) : x])]
    }
    if !element.isFloat { return [try integer(x, element, c)] }
    return [
      try c.widened(element, [x]) { inputs, type throws(Diagnostic) in try float(inputs[0], type, c) }
    ]
  }

  private func integer(_ x: String, _ element: ElementType, _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    switch function {
    case .relu:
      return try c.widened(element, [x]) { inputs, type throws(Diagnostic) in
        c.node("Max", [inputs[0], try c.number(0, type)])
      }
    case .neg:
      return try c.widened(element, [x]) { inputs, type throws(Diagnostic) in
        c.node("Sub", [try c.number(0, type), inputs[0]])
      }
    default:
      guard let name = Unary.operators[function] else { throw .bug("\(mnemonic) takes no integers") }
      return c.node(name, [x])
    }
  }

  private func float(_ x: String, _ type: ElementType, _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    func number(_ value: Double) throws(Diagnostic) -> String { try c.number(value, type) }
    switch function {
    case .rsqrt: return c.node("Reciprocal", [c.node("Sqrt", [x])])
    case .silu: return c.node("Mul", [x, c.node("Sigmoid", [x])])
    case .gelu, .geluTanh:
      guard type == .f64 else {
        return c.node("Gelu", [x], [ONNXAttribute("approximate", string: function == .gelu ? "none" : "tanh")])
      }
      return c.cast(c.node("Gelu", [c.cast(x, to: .f32)]), to: .f64)
    case .exp2: return c.node("Pow", [try number(2), x])
    case .log2: return c.node("Div", [c.node("Log", [x]), try number(0.6931471805599453)])
    case .expm1:
      // 2 sinh(x / 2) exp(x / 2), which is exact near zero; below the bound the result is -1.
      let half = c.node("Mul", [c.node("Max", [x, try number(-80)]), try number(0.5)])
      return c.node("Mul", [c.node("Mul", [c.node("Sinh", [half]), try number(2)]), c.node("Exp", [half])])
    case .log1p:
      // 2 atanh(x / (2 + x)) is exact near zero, the logarithm elsewhere.
      let near = c.node("Atanh", [c.node("Div", [x, c.node("Add", [x, try number(2)])])])
      let far = c.node("Log", [c.node("Add", [x, try number(1)])])
      let isNear = c.node("Less", [c.node("Abs", [x]), try number(0.5)])
      return c.node("Where", [isNear, c.node("Mul", [near, try number(2)]), far])
    case .trunc:
      return c.node("Where", [c.node("Less", [x, try number(0)]), c.node("Ceil", [x]), c.node("Floor", [x])])
    case .roundAway:
      let size = c.node("Abs", [x])
      let floor = c.node("Floor", [size])
      let isUp = c.node("GreaterOrEqual", [c.node("Sub", [size, floor]), try number(0.5)])
      return c.node(
        "Mul", [c.node("Sign", [x]), c.node("Where", [isUp, c.node("Add", [floor, try number(1)]), floor])])
    default:
      guard let name = Unary.operators[function] else {
        throw .unsupported("\(mnemonic) cannot be written to a model of ONNX")
      }
      if let narrow = Unary.narrowOperators[function]?[type] {
        return c.cast(c.node(name, [c.cast(x, to: narrow)]), to: type)
      }
      return c.node(name, [x])
    }
  }
}

extension Binary: ONNXEmission {
  private static let operators: [Function: String] = [
    .add: "Add", .sub: "Sub", .mul: "Mul", .div: "Div", .minimum: "Min", .maximum: "Max", .pow: "Pow",
  ]
  private static let logic: [Function: (bools: String, integers: String)] = [
    .and: ("And", "BitwiseAnd"), .or: ("Or", "BitwiseOr"), .xor: ("Xor", "BitwiseXor"),
  ]

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let (a, b) = (try c.input(0), try c.input(1))
    let element = try c.element(0)
    if let names = Binary.logic[function] { return [c.node(element == .bool ? names.bools : names.integers, [a, b])] }
    if function == .shiftLeft || function == .shiftRight { return [try shift(a, b, element, c)] }
    return [
      try c.widened(element, [a, b]) { inputs, type throws(Diagnostic) in
        try arithmetic(inputs[0], inputs[1], type, c)
      }
    ]
  }

  private func arithmetic(
    _ a: String, _ b: String, _ type: ElementType, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    if let name = Binary.operators[function] { return c.node(name, [a, b]) }
    let zero = try c.number(0, type)
    switch function {
    case .rem: return c.node("Mod", [a, b], [ONNXAttribute("fmod", int: 1)])
    case .mod:
      guard type.isFloat else { return c.node("Mod", [a, b]) }
      // The sign of the divisor, unlike the format's remainder of floats.
      let rest = c.node("Mod", [a, b], [ONNXAttribute("fmod", int: 1)])
      let differs = c.node("Xor", [c.node("Less", [rest, zero]), c.node("Less", [b, zero])])
      let isOff = c.node("And", [c.node("Not", [c.node("Equal", [rest, zero])]), differs])
      return c.node("Where", [isOff, c.node("Add", [rest, b]), rest])
    case .floorDiv:
      if type.isFloat { return c.node("Floor", [c.node("Div", [a, b])]) }
      return c.node("Div", [c.node("Sub", [a, c.node("Mod", [a, b])]), b])
    case .atan2: return try angle(a, b, zero, type, c)
    default: throw .bug("\(mnemonic) is written elsewhere")
    }
  }

  /// The angle of the point (x, y) by that of its slope.
  private func angle(
    _ y: String, _ x: String, _ zero: String, _ type: ElementType, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    let slope = c.node("Atan", [c.node("Div", [y, x])])
    let isBelow = c.node("Less", [y, zero])
    let turn = c.node("Where", [isBelow, try c.number(-Double.pi, type), try c.number(Double.pi, type)])
    let angle = c.node("Where", [c.node("Less", [x, zero]), c.node("Add", [slope, turn]), slope])
    // On the axis of y the slope is infinite, and in the origin it is none.
    let isOrigin = c.node("And", [c.node("Equal", [x, zero]), c.node("Equal", [y, zero])])
    return c.node("Where", [isOrigin, zero, angle])
  }

  private func shift(
    _ a: String, _ b: String, _ element: ElementType, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    guard !element.isSigned else { throw .unsupported("\(mnemonic): the format shifts unsigned integers only") }
    let types: [ElementType: ElementType] = [.u16: .u32, .u4: .u8, .u2: .u8]
    return try c.widened(element, [a, b], in: types) { inputs, type throws(Diagnostic) in
      let direction = ONNXAttribute("direction", string: function == .shiftLeft ? "LEFT" : "RIGHT")
      let shifted = c.node("BitShift", inputs, [direction])
      // What goes further than the width is gone.
      let distance = c.cast(inputs[1], to: .i64)
      let isInside = c.node("Less", [distance, try c.number(Double(element.bits), .i64)])
      return c.cast(c.node("Mul", [c.cast(shifted, to: .i64), c.cast(isInside, to: .i64)]), to: type)
    }
  }
}

extension Compare: ONNXEmission {
  private static let operators: [Function: String] = [
    .equal: "Equal", .notEqual: "Equal", .less: "Less", .lessEqual: "LessOrEqual", .greater: "Greater",
    .greaterEqual: "GreaterOrEqual",
  ]

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let element = try c.element(0)
    var inputs = [try c.input(0), try c.input(1)]
    if element != .bool, let wide = ONNXEmissionContext.arithmeticTypes[element] {
      inputs = inputs.map { c.cast($0, to: wide) }
    }
    let result = c.node(Compare.operators[function] ?? "", inputs)
    return [function == .notEqual ? c.node("Not", [result]) : result]
  }
}

extension Select: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let inputs = try c.inputs()
    let element = try c.element(1)
    if element == .bool {
      let a = c.node("And", [inputs[0], inputs[1]])
      return [c.node("Or", [a, c.node("And", [c.node("Not", [inputs[0]]), inputs[2]])])]
    }
    var types = ONNXEmissionContext.arithmeticTypes
    types[.u8] = nil
    types[.u64] = .i64
    return [
      try c.widened(element, Array(inputs.dropFirst()), in: types) { values, _ throws(Diagnostic) in
        c.node("Where", [inputs[0]] + values)
      }
    ]
  }
}

extension Cast: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    guard case .plain(let element) = to else { throw .unsupported("cast: the format has no elements \(to)") }
    var attributes = [ONNXAttribute("to", int: Int(ONNXDataType(element).rawValue))]
    let isEighth = [.f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0].contains(element)
    if isEighth, !saturate { attributes.append(ONNXAttribute("saturate", int: 0)) }
    if element == .f8e8m0, rounding != .up { attributes.append(ONNXAttribute("round_mode", string: rounding.rawValue)) }
    return [c.node("Cast", [try c.input(0)], attributes)]
  }
}

extension BitCast: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    guard case .plain(let element) = to else { throw .unsupported("bit_cast: the format has no elements \(to)") }
    return [c.node("BitCast", [try c.input(0)], [ONNXAttribute("to", int: Int(ONNXDataType(element).rawValue))])]
  }
}

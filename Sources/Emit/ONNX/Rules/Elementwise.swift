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

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let x = try c.input(0)
    let element = try c.element(0)
    if function == .not || function == .bitNot { return [c.node(Unary.operators[function] ?? "", [x])] }
    if function == .isNaN {
      return [c.node("IsNaN", [element == .bf16 || element.bits <= 8 ? c.cast(x, to: .f32) : x])]
    }
    if !element.isFloat { return [try integer(x, element, c)] }
    let isFormula = Unary.operators[function] == nil
    let types = isFormula ? ONNXEmissionContext.formulaTypes : ONNXEmissionContext.arithmeticTypes
    return [try c.widened(element, [x], in: types) { inputs, type throws(Diagnostic) in try float(inputs[0], type, c) }]
  }

  private func integer(_ x: String, _ element: ElementType, _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    switch function {
    case .relu:
      return try c.widened(element, [x], in: Binary.boundTypes) { inputs, type throws(Diagnostic) in
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
      return c.node("Gelu", [x], [ONNXAttribute("approximate", string: function == .gelu ? "none" : "tanh")])
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
      let away = c.node("Where", [isUp, c.node("Add", [floor, try number(1)]), floor])
      // A zero has the sign of what it is made of.
      let zero = c.node("Mul", [x, try number(0)])
      let isZero = c.node("Equal", [away, try number(0)])
      return c.node("Where", [isZero, zero, c.node("Mul", [c.node("Sign", [x]), away])])
    default:
      guard let name = Unary.operators[function] else {
        throw .unsupported("\(mnemonic) cannot be written to a model of ONNX")
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
    if function == .minimum, let clip = try clipped(c) { return [clip] }
    if function == .floorDiv, element.isFloat {
      // The quotient is rounded to its type first.
      let quotient = try c.widened(element, [a, b]) { inputs, _ throws(Diagnostic) in c.node("Div", inputs) }
      return [try c.widened(element, [quotient]) { inputs, _ throws(Diagnostic) in c.node("Floor", inputs) }]
    }
    var types = ONNXEmissionContext.arithmeticTypes
    if function == .minimum || function == .maximum { types = Binary.boundTypes }
    if function == .mod || function == .atan2 { types = ONNXEmissionContext.formulaTypes }
    // The format has no powers of this type.
    if function == .pow { types[.u64] = .i64 }
    return [
      try c.widened(element, [a, b], in: types) { inputs, type throws(Diagnostic) in
        try arithmetic(inputs[0], inputs[1], type, c)
      }
    ]
  }

  /// The lesser and the greater are had of unsigned integers too.
  fileprivate static let boundTypes: [ElementType: ElementType] = {
    var types = ONNXEmissionContext.arithmeticTypes
    types[.u32] = nil
    return types
  }()

  /// The lesser of a number and of the greater of another one: what runtimes join with the op in front.
  private func clipped(_ c: ONNXEmissionContext) throws(Diagnostic) -> String? {
    let types: Set<ElementType> = [.f32, .f64, .f16, .i8, .u8, .i32, .i64]
    let function = c.writer.function
    guard let x = c.operation.operands[0], c.constant(1)?.shape == [], types.contains(try c.element(0)),
      let op = function.definingOp(x), (function[op].kind as? Binary)?.function == .maximum,
      let inner = function[op].operands[0], let least = function[op].operands[1],
      c.writer.constantTensor(least)?.shape == [], function.tensorType(inner) == function.tensorType(x)
    else { return nil }
    return c.node("Clip", [try c.writer.name(of: inner), try c.writer.name(of: least), try c.input(1)])
  }

  private func arithmetic(_ a: String, _ b: String, _ type: ElementType, _ c: ONNXEmissionContext) throws(Diagnostic)
    -> String
  {
    if let name = Binary.operators[function] { return c.node(name, [a, b]) }
    let zero = try c.number(0, type)
    switch function {
    case .rem:
      if type.isFloat { return c.node("Mod", [a, b], [ONNXAttribute("fmod", int: 1)]) }
      return c.node("Sub", [a, c.node("Mul", [c.node("Div", [a, b]), b])])
    case .mod:
      guard type.isFloat else { return c.node("Mod", [a, b]) }
      // The sign of the divisor, unlike the format's remainder of floats.
      let rest = c.node("Mod", [a, b], [ONNXAttribute("fmod", int: 1)])
      let differs = c.node("Xor", [c.node("Less", [rest, zero]), c.node("Less", [b, zero])])
      let isOff = c.node("And", [c.node("Not", [c.node("Equal", [rest, zero])]), differs])
      // What is left of nothing has that sign too.
      let nothing = c.node("Mul", [c.node("Sign", [b]), zero])
      let sum = c.node("Where", [isOff, c.node("Add", [rest, b]), rest])
      return c.node("Where", [c.node("Equal", [rest, zero]), nothing, sum])
    case .floorDiv:
      // One less than the quotient towards zero where that is above the exact one.
      let quotient = c.node("Div", [a, b])
      if !type.isSigned { return quotient }
      let rest = c.node("Sub", [a, c.node("Mul", [quotient, b])])
      let differs = c.node("Xor", [c.node("Less", [rest, zero]), c.node("Less", [b, zero])])
      let isOff = c.node("And", [c.node("Not", [c.node("Equal", [rest, zero])]), differs])
      return c.node("Sub", [quotient, c.cast(isOff, to: type)])
    case .atan2: return try angle(a, b, zero, type, c)
    default: throw .bug("\(mnemonic) is written elsewhere")
    }
  }

  /// The angle of the point (x, y) by that of its slope.
  private func angle(_ y: String, _ x: String, _ zero: String, _ type: ElementType, _ c: ONNXEmissionContext)
    throws(Diagnostic) -> String
  {
    // Zeros have signs, which show in what one is divided by.
    func isNegative(_ value: String) -> String {
      let isZero = c.node("Equal", [value, zero])
      let below = c.node("Where", [isZero, c.node("Reciprocal", [value]), value])
      return c.node("Less", [below, zero])
    }
    let half = try c.number(Double.pi / 2, type)
    let size = c.node("Atan", [c.node("Div", [c.node("Abs", [y]), c.node("Abs", [x])])])
    // In the origin, and at infinity in both directions, the slope is none.
    let isOrigin = c.node("Equal", [y, zero])
    let isFar = c.node("And", [c.node("IsInf", [y]), c.node("IsInf", [x])])
    var angle = c.node("Where", [isOrigin, zero, size])
    angle = c.node("Where", [isFar, c.node("Mul", [half, try c.number(0.5, type)]), angle])
    let turned = c.node("Sub", [c.node("Add", [half, half]), angle])
    angle = c.node("Where", [isNegative(x), turned, angle])
    angle = c.node("Where", [isNegative(y), c.node("Neg", [angle]), angle])
    // A sum with either keeps its NaN.
    let isNaN = c.node("Or", [c.node("IsNaN", [x]), c.node("IsNaN", [y])])
    return c.node("Where", [isNaN, c.node("Add", [x, y]), angle])
  }

  private func shift(_ a: String, _ b: String, _ element: ElementType, _ c: ONNXEmissionContext) throws(Diagnostic)
    -> String
  {
    // Both shift the same bits; to the right, those of a negative number are turned over before and after.
    guard let unsigned = Binary.unsigned[element] else { throw .bug("\(mnemonic) takes integers") }
    let shifted: String
    if function == .shiftRight, element.isSigned {
      let zero = try c.number(0, .i64)
      let isNegative = c.node("Less", [c.cast(a, to: .i64), zero])
      let wide = c.cast(a, to: .i64)
      let turned = c.node("Where", [isNegative, c.node("BitwiseNot", [wide]), wide])
      let bits = try shiftedBits(c.cast(turned, to: unsigned), b, element, unsigned, c)
      let result = c.cast(bits, to: .i64)
      shifted = c.node("Where", [isNegative, c.node("BitwiseNot", [result]), result])
    } else {
      shifted = c.cast(try shiftedBits(c.cast(a, element, to: unsigned), b, element, unsigned, c), to: .i64)
    }
    return c.cast(shifted, to: element)
  }

  private static let unsigned: [ElementType: ElementType] = [
    .u8: .u8, .u16: .u32, .u32: .u32, .u64: .u64, .i8: .u8, .i16: .u32, .i32: .u32, .i64: .u64, .u4: .u8, .i4: .u8,
    .u2: .u8, .i2: .u8,
  ]

  /// What goes further than the width is gone.
  private func shiftedBits(
    _ a: String, _ b: String, _ element: ElementType, _ unsigned: ElementType, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    let distance = c.cast(b, to: .i64)
    let isInside = c.node(
      "And",
      [
        c.node("Less", [distance, try c.number(Double(element.bits), .i64)]),
        c.node("GreaterOrEqual", [distance, try c.number(0, .i64)]),
      ])
    let inside = c.cast(isInside, to: .i64)
    let direction = ONNXAttribute("direction", string: function == .shiftLeft ? "LEFT" : "RIGHT")
    let near = c.cast(c.node("Mul", [distance, inside]), to: unsigned)
    let shifted = c.cast(c.node("BitShift", [a, near], [direction]), to: .i64)
    return c.cast(c.node("Mul", [shifted, inside]), to: unsigned)
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
    var x = try c.input(0)
    let source = try c.element(0)
    if source.isFloat, element.isInteger, element.bits < 8, let range = element.integerRange {
      // What the format does with numbers out of range differs for these.
      let bounds = [try c.number(Double(range.lowerBound), .f32), try c.number(Double(range.upperBound), .f32)]
      x = c.node("Clip", [c.cast(x, source, to: .f32)] + bounds)
    }
    return [c.node("Cast", [x], attributes)]
  }
}

extension BitCast: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    guard let element = to.storage else { throw .unsupported("bit_cast: the format has no elements \(to)") }
    let x = try c.input(0)
    if try c.element(0) == element { return [x] }
    return [c.node("BitCast", [x], [ONNXAttribute("to", int: Int(ONNXDataType(element).rawValue))])]
  }
}

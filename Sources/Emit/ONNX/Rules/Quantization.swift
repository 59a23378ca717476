import Formats
import IR
import Support

extension Quantize: ONNXEmission {
  /// What the format's operator makes.
  private static let stored: Set<ElementType> = [
    .i8, .u8, .i16, .u16, .i4, .u4, .i2, .u2, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f4e2m1,
  ]

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    let element = try c.element(type)
    let parameters = try c.quantization(to, axis: axis)
    guard let target = to.storage else { throw .bug("quantize: cannot make blocks") }
    let isPlain = Quantize.stored.contains(target) && (rounding == .nearestEven || target.isFloat)
    if isPlain, element == .f32 || element == .f16 {
      let scale = c.cast(parameters.scale, parameters.scaleElement, to: element)
      let zero = try c.zero(target, parameters)
      return [c.node("QuantizeLinear", [try c.input(0), scale, zero], c.axisAttribute(parameters, type.rank))]
    }
    let wide: ElementType = element == .f64 ? .f64 : .f32
    let x = c.cast(try c.input(0), element, to: wide)
    let scale = try c.alongAxis(c.cast(parameters.scale, parameters.scaleElement, to: wide), parameters, type.rank)
    let quotient = c.cast(c.node("Div", [x, scale]), wide, to: .f32)
    guard target.isInteger, let range = target.integerRange else { return [c.cast(quotient, to: target)] }
    let zero = try parameters.zero.map { name throws(Diagnostic) in
      try c.alongAxis(c.cast(name, target, to: .f64), parameters, type.rank)
    }
    return [c.cast(try c.units(quotient, zero, rounding, range), to: target)]
  }
}

extension Dequantize: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    guard case .plain(let target) = to, let stored = type.element.storage else {
      throw .unsupported("dequantize: the format has no tensors of type \(type)")
    }
    let parameters = try c.quantization(type.element, axis: axis)
    let isZero = parameters.zero == nil || c.constant(2).map { $0.integers().allSatisfy { $0 == 0 } } ?? false
    // The operator's own type of 32 bits has no zero point.
    if parameters.scaleElement == .f32 || parameters.scaleElement == .f16, stored != .u32, stored != .i32 || isZero,
      stored.bits <= 32
    {
      var inputs = [try c.input(0), parameters.scale]
      if stored != .i32 { inputs.append(try c.zero(stored, parameters)) }
      let result = c.node("DequantizeLinear", inputs, c.axisAttribute(parameters, type.rank))
      return [c.cast(result, parameters.scaleElement, to: target)]
    }
    let wide: ElementType = stored.bits >= 32 || target == .f64 ? .f64 : .f32
    var units = c.cast(try c.input(0), to: wide)
    if let zero = parameters.zero {
      units = c.node("Sub", [units, try c.alongAxis(c.cast(zero, to: wide), parameters, type.rank)])
    }
    let scale = try c.alongAxis(c.cast(parameters.scale, parameters.scaleElement, to: wide), parameters, type.rank)
    return [c.cast(c.node("Mul", [units, scale]), wide, to: target)]
  }
}

extension FakeQuant: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    let element = try c.element(type)
    let parameters = ONNXQuantization(
      scale: try c.input(1), scaleElement: try c.element(1), zero: try c.optionalInput(2),
      axis: try c.type(1).rank == 0 ? nil : axis, count: try c.type(1).elementCount)
    let wide: ElementType = element == .f64 ? .f64 : .f32
    let x = c.cast(try c.input(0), element, to: wide)
    let scale = try c.alongAxis(c.cast(parameters.scale, parameters.scaleElement, to: wide), parameters, type.rank)
    let zero = try parameters.zero.map { name throws(Diagnostic) in
      try c.alongAxis(c.cast(name, to: .f64), parameters, type.rank)
    }
    let quotient = c.cast(c.node("Div", [x, scale]), wide, to: .f32)
    var units = try c.units(quotient, zero, rounding, range)
    if let zero { units = c.node("Sub", [units, zero]) }
    let result = c.node("Mul", [units, c.cast(scale, wide, to: .f64)])
    return [c.cast(result, to: element)]
  }
}

/// Scale and zero point as names, one for all or a row along an axis.
struct ONNXQuantization {
  var scale: String
  var scaleElement: ElementType
  var zero: String?
  var axis: Int?
  var count: Dim
}

extension ONNXEmissionContext {
  /// Those of a quantized type, or the operands behind the first.
  func quantization(_ element: TensorElement, axis: Int) throws(Diagnostic) -> ONNXQuantization {
    switch element {
    case .quantized(let stored, let name):
      guard let parameters = writer.module.quantization(name) else { throw .bug("there are no parameters !\(name)") }
      let isRow = parameters.scales.count > 1
      let shape = isRow ? [parameters.scales.count] : []
      return ONNXQuantization(
        scale: try constant(Tensor(.f32, shape, doubles: parameters.scales.map(Double.init))), scaleElement: .f32,
        zero: try constant(Tensor(stored, shape, integers: parameters.zeroPoints)), axis: isRow ? parameters.axis : nil,
        count: Dim(parameters.scales.count))
    case .plain:
      let type = try type(1)
      return ONNXQuantization(
        scale: try input(1), scaleElement: try self.element(type), zero: try optionalInput(2),
        axis: type.rank == 0 ? nil : axis, count: type.elementCount)
    case .block: throw .unsupported("\(mnemonic): the format has no blocks of \(element)")
    }
  }

  /// The zero point, or one that is none, for operators that take the type from it.
  func zero(_ element: ElementType, _ parameters: ONNXQuantization) throws(Diagnostic) -> String {
    if let given = parameters.zero { return given }
    let zero = try number(0, element)
    return parameters.axis == nil ? zero : node("Expand", [zero, try dims([parameters.count])])
  }

  func axisAttribute(_ parameters: ONNXQuantization, _ rank: Int) -> [ONNXAttribute] {
    parameters.axis.map { [ONNXAttribute("axis", int: $0 < 0 ? $0 + rank : $0)] } ?? []
  }

  /// A row of numbers so that it lies along its axis beside a tensor of `rank`.
  func alongAxis(_ x: String, _ parameters: ONNXQuantization, _ rank: Int) throws(Diagnostic) -> String {
    guard let axis = parameters.axis else { return x }
    let place = try normalized(axis: axis, rank: rank, mnemonic)
    return place == rank - 1 ? x : try reshaped(x, to: [-1] + Array(repeating: 1, count: rank - 1 - place))
  }

  /// The integers nearest to f32 quotients, moved by the zero point and kept in range, as f64; none for NaN.
  func units(_ quotient: String, _ zero: String?, _ rounding: QuantizationRounding, _ range: ClosedRange<Int>)
    throws(Diagnostic) -> String
  {
    var units = node("Round", [quotient])
    if rounding == .tflite {
      let size = node("Abs", [quotient])
      let floor = node("Floor", [size])
      let isUp = node("GreaterOrEqual", [node("Sub", [size, floor]), try number(0.5, .f32)])
      let away = node("Where", [isUp, node("Add", [floor, try number(1, .f32)]), floor])
      units = node("Mul", [node("Sign", [quotient]), away])
    }
    units = node("Where", [node("IsNaN", [units]), try number(0, .f32), units])
    units = cast(units, to: .f64)
    if let zero { units = node("Add", [units, zero]) }
    return node(
      "Clip", [units, try number(Double(range.lowerBound), .f64), try number(Double(range.upperBound), .f64)])
  }
}

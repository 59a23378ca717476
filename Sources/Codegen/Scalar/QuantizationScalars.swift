import IR
import Support

/// A scale or a zero point as code sees it: known, or an input beside the value.
enum QuantizationParameter<Number: Sendable>: Sendable {
  case constant(Number)
  case input(Int)
}

/// The parameters of one quantize or dequantize op, resolved.
struct QuantizationInputs {
  var scale: QuantizationParameter<Double>
  var zero: QuantizationParameter<Int>
  /// Rows of parameters that come with a type, to be read beside the operands.
  var tensors: [Tensor] = []

  /// Of a quantized type: one scale becomes a constant in the code, several become rows along the axis.
  init(_ name: String, shape: [Dim], operands: Int, _ module: Module) throws(Diagnostic) {
    guard let parameters = module.quantization(name), let first = parameters.scales.first,
      let firstZero = parameters.zeroPoints.first
    else { throw .bug("there are no quantization parameters !\(name)") }
    guard parameters.scales.count > 1 else {
      (scale, zero) = (.constant(Double(first)), .constant(firstZero))
      return
    }
    guard let axis = parameters.axis, shape.indices.contains(axis) else { throw .bug("!\(name) does not fit \(shape)") }
    let row = [parameters.scales.count] + Array(repeating: 1, count: shape.count - axis - 1)
    tensors.append(Tensor(.f32, row, doubles: parameters.scales.map(Double.init)))
    scale = .input(operands)
    if parameters.zeroPoints.allSatisfy({ $0 == firstZero }) {
      zero = .constant(firstZero)
    } else {
      tensors.append(Tensor(.i32, row, integers: parameters.zeroPoints))
      zero = .input(operands + 1)
    }
  }

  /// Of operands behind the value; single numbers that are known become constants in the code.
  init(operands: [Tensor?]) {
    scale = .input(1)
    zero = operands.count > 2 ? .input(2) : .constant(0)
    if let known = operands[1], known.count == 1, known.storage == .f32 { scale = .constant(known.doubles()[0]) }
    if operands.count > 2, let known = operands[2], known.count == 1, known.storage?.isInteger == true,
      known.storage?.bits ?? 64 < 32
    {
      zero = .constant(known.integers()[0])
    }
  }

  /// The shapes of the operands, rows of parameters turned so that they stretch along `axis`.
  static func shapes(_ types: [TensorType], axis: Int) -> [[Dim]] {
    let rank = types[0].rank
    let axis = axis < 0 ? axis + rank : axis
    return types.enumerated().map { number, type in
      guard number > 0, type.rank == 1 else { return type.shape }
      return type.shape + Array(repeating: 1, count: Swift.max(0, rank - axis - 1))
    }
  }
}

extension Quantize: ScalarLowering {
  func specialized(
    _ types: [TensorType], _ constants: [Tensor?], _ module: Module
  ) throws(Diagnostic) -> any ScalarLowering {
    let parameters =
      if case .quantized(_, let name) = to {
        try QuantizationInputs(name, shape: types[0].shape, operands: types.count, module)
      } else {
        QuantizationInputs(operands: constants)
      }
    return QuantizeScalar(inputs: parameters, rounding: rounding, axis: axis)
  }

  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue { throw .bug("quantize is not specialized") }
}

extension Dequantize: ScalarLowering {
  func specialized(
    _ types: [TensorType], _ constants: [Tensor?], _ module: Module
  ) throws(Diagnostic) -> any ScalarLowering {
    let parameters =
      if case .quantized(_, let name) = types[0].element {
        try QuantizationInputs(name, shape: types[0].shape, operands: types.count, module)
      } else {
        QuantizationInputs(operands: constants)
      }
    return DequantizeScalar(inputs: parameters, axis: axis)
  }

  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue { throw .bug("dequantize is not specialized") }
}

/// `quantize` with its parameters at hand.
private struct QuantizeScalar: ScalarLowering {
  let inputs: QuantizationInputs
  let rounding: QuantizationRounding
  let axis: Int

  func operandShapes(_ types: [TensorType]) -> [[Dim]] { QuantizationInputs.shapes(types, axis: axis) }

  func parameters(
    _ types: [TensorType], result: TensorType, _ module: Module
  ) throws(Diagnostic) -> [Tensor] { inputs.tensors }

  func lower(
    _ values: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let single = build.type(values[0]).with(.f32)
    let quotient = build.convert(.floatTruncate, try quotient(values, scope), to: single)
    if result.isFloat {
      return build.decodeSmallFloat(build.encodeSmallFloat(quotient, result, saturate: true), result)
    }
    let whole = rounding == .nearestEven ? build.unary(.rint, quotient) : scope.math.roundAway(quotient)
    // Saturates; NaN becomes zero and so the zero point. Sums of 32 bits need more room.
    let wide = single.with(result.bits < 32 ? .i32 : .i64)
    let units = build.convert(.floatToSigned, whole, to: wide)
    guard let range = result.integerRange else { throw .bug("quantize to \(result)") }
    let register = single.with(try ElementForm(result).register)
    func clamped(_ value: LoopValue, _ low: Int, _ high: Int) -> LoopValue {
      build.min(build.max(value, build.integer(low, wide)), build.integer(high, wide))
    }
    switch inputs.zero {
    case .constant(let zero):
      let limited = clamped(units, range.lowerBound - zero, range.upperBound - zero)
      let sum = zero == 0 ? limited : build.add(limited, build.integer(zero, wide))
      return build.convert(.truncate, sum, to: register)
    case .input(let number):
      let zero = widened(values[number], types[number], to: wide, build)
      let sum = build.binary(.addSaturating, units, zero)
      return build.convert(.truncate, clamped(sum, range.lowerBound, range.upperBound), to: register)
    }
  }

  private func quotient(_ values: [LoopValue], _ scope: KernelScope) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let x = values[0]
    let type = build.type(x)
    switch inputs.scale {
    case .constant(let scale):
      // The inverse of a power of two is exact, and so is the product with it.
      let isPowerOfTwo = scale.significand == 1 && abs(scale.exponent) < 100
      return isPowerOfTwo
        ? build.mul(x, build.float(1 / scale, type)) : build.div(x, build.float(scale, type))
    case .input(let number):
      let scale = values[number]
      let common = build.type(scale).scalar == .f64 ? type.with(.f64) : type
      return build.div(
        build.convert(.floatExtend, x, to: common), build.convert(.floatExtend, scale, to: common))
    }
  }
}

/// `dequantize` of integers and small floats with its parameters at hand.
///
/// Products of up to 16 bits with an f32 scale are rounded once; to types narrower than f32 a second time, so that ties
/// may fall otherwise than in `evaluate`.
private struct DequantizeScalar: ScalarLowering {
  let inputs: QuantizationInputs
  let axis: Int

  func operandShapes(_ types: [TensorType]) -> [[Dim]] { QuantizationInputs.shapes(types, axis: axis) }

  func parameters(
    _ types: [TensorType], result: TensorType, _ module: Module
  ) throws(Diagnostic) -> [Tensor] { inputs.tensors }

  func lower(
    _ values: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let stored = types[0]
    var isDouble = result == .f64 || stored.bits >= 32
    if case .input(let number) = inputs.scale, types[number] == .f64 { isDouble = true }
    let type = build.type(values[0]).with(isDouble ? .f64 : .f32)
    let difference = difference(values, types, type, build)
    let product: LoopValue
    switch inputs.scale {
    case .constant(let scale): product = build.mul(difference, build.float(scale, type))
    case .input(let number):
      product = build.mul(difference, build.convert(.floatExtend, values[number], to: type))
    }
    return isDouble
      ? try scope.convert(product, from: .f64, to: result, saturate: false) : scope.rounded(product, as: result)
  }

  private func difference(
    _ values: [LoopValue], _ types: [ElementType], _ type: LoopType, _ build: KernelBuilder
  ) -> LoopValue {
    let (q, stored) = (values[0], types[0])
    func float(_ value: LoopValue, _ element: ElementType) -> LoopValue {
      if element.isFloat { return build.convert(.floatExtend, value, to: type) }
      return build.convert(element.isSigned ? .signedToFloat : .unsignedToFloat, value, to: type)
    }
    switch inputs.zero {
    case .constant(0): return float(q, stored)
    case .constant(let zero) where stored.isFloat || stored.bits >= 32:
      return build.sub(float(q, stored), build.float(Double(zero), type))
    case .constant(let zero):
      let wide = type.with(.i32)
      let number = build.sub(widened(q, stored, to: wide, build), build.integer(zero, wide))
      return build.convert(.signedToFloat, number, to: type)
    case .input(let number):
      let zero = values[number]
      // Zero points are whole even where the type is not; differences are exact in the type chosen.
      if stored.isFloat { return build.sub(float(q, stored), build.unary(.trunc, float(zero, types[number]))) }
      return build.sub(float(q, stored), float(zero, types[number]))
    }
  }
}

/// An integer in register form at a greater width.
private func widened(_ value: LoopValue, _ element: ElementType, to type: LoopType, _ build: KernelBuilder) -> LoopValue
{
  build.convert(element.isSigned ? .signExtend : .zeroExtend, value, to: type)
}

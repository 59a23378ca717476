import IR
import Support

/// Computes in f32 (f64 where operands do); the integers are whole floats all along.
extension FakeQuant: ScalarLowering {
  func operandShapes(_ types: [TensorType]) -> [[Dim]] { QuantizationInputs.shapes(types, axis: axis) }

  func lower(
    _ inputs: [LoopValue], _ types: [ElementType], result: ElementType, in scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let isDouble = types[0] == .f64 || types[1] == .f64
    let own = build.type(inputs[0])
    let type = own.with(isDouble ? .f64 : .f32)
    let scale = build.convert(.floatExtend, inputs[1], to: type)
    // The quotient is rounded to f32 before it is rounded to an integer, as `quantize` does.
    let quotient = build.convert(
      .floatTruncate, build.div(build.convert(.floatExtend, inputs[0], to: type), scale), to: type.with(.f32))
    let whole = rounding == .nearestEven ? build.unary(.rint, quotient) : scope.math.roundAway(quotient)
    let isNaN = build.compare(.ne, whole, whole)
    let units = build.convert(.floatExtend, build.select(isNaN, build.zero(build.type(whole)), whole), to: type)
    var least = build.float(Double(range.lowerBound), type)
    var greatest = build.float(Double(range.upperBound), type)
    if inputs.count > 2 {
      // Zero points are within the range, so that the differences are exact.
      let zero = build.convert(.signedToFloat, inputs[2], to: type)
      (least, greatest) = (build.sub(least, zero), build.sub(greatest, zero))
    }
    let clamped = build.min(greatest, build.max(least, units))
    let product = build.mul(clamped, scale)
    return try scope.convert(product, from: isDouble ? .f64 : .f32, to: result, saturate: false)
  }
}

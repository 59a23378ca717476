import Support

/// Scales and zero points as `quantize` and `dequantize` use them, from a type's parameters or from operands.
struct QuantizationScales {
  var scales: [Double]
  var zeros: [Int]
  /// The axis that has one scale an index; nil when one scale serves all.
  var axis: Int?

  init(_ parameters: QuantizationParameters) {
    scales = parameters.scales.map(Double.init)
    zeros = parameters.zeroPoints
    axis = parameters.scales.count == 1 ? nil : parameters.axis
  }

  init(scale: Tensor, zero: Tensor?, axis: Int) {
    scales = scale.doubles()
    zeros = zero?.integers() ?? Array(repeating: 0, count: scales.count)
    self.axis = scale.shape.isEmpty ? nil : axis
  }

  /// The scale number of every element of a tensor of `shape`.
  func positions(_ shape: [Int], _ op: String) throws(Diagnostic) -> [Int] {
    var strides = [Int](repeating: 0, count: shape.count)
    if let axis {
      guard shape.indices.contains(axis), scales.count == shape[axis], zeros.count == scales.count else {
        throw .invalid("\(op): \(scales.count) scales do not fit axis \(axis) of \(shape)")
      }
      strides[axis] = 1
    } else {
      guard scales.count == 1, zeros.count == 1 else { throw .invalid("\(op): there are \(scales.count) scales") }
    }
    return stridedPositions(shape, strides: strides)
  }

  /// Checks the parameters that a quantized type names against its shape.
  static func check(_ name: String, _ shape: [Dim], _ context: inout InferenceContext, _ op: String) throws(Diagnostic)
  {
    guard let parameters = context.quantizations[name] else {
      throw .invalid("\(op): there are no quantization parameters !\(name)")
    }
    guard !parameters.scales.isEmpty, parameters.zeroPoints.count == parameters.scales.count else {
      throw .invalid("\(op): !\(name) is not well-formed")
    }
    guard parameters.scales.count > 1 else { return }
    guard let axis = parameters.axis, shape.indices.contains(axis) else {
      throw .invalid("\(op): the axis of !\(name) is outside of \(shape)")
    }
    try context.require(shape[axis], equals: Dim(parameters.scales.count), "\(op): !\(name) does not fit \(shape)")
  }

  /// Checks scale and zero-point operands: scalars, or one number an index of `axis`.
  static func check(
    scale: ValueFact?, zero: ValueFact?, axis: Int, of type: TensorType, stored: ElementType,
    _ context: inout InferenceContext, _ op: String
  ) throws(Diagnostic) {
    guard let scale = try scale?.dense(op) else { throw .invalid("\(op): a plain type takes a scale operand") }
    guard scale.plain?.isFloat ?? false, scale.rank <= 1 else {
      throw .invalid("\(op): the scale is \(scale), expected one or a row of floats")
    }
    if scale.rank == 1 {
      let axis = try normalized(axis: axis, rank: type.rank, op)
      try context.require(
        scale.shape[0], equals: type.shape[axis], "\(op): the scales do not fit axis \(axis) of \(type)")
    }
    guard let zero = try zero?.dense(op) else { return }
    guard zero.plain == stored, zero.rank == scale.rank else {
      throw .invalid("\(op): the zero point is \(zero), expected \(scale.with(element: stored))")
    }
    if zero.rank == 1 {
      try context.require(zero.shape[0], equals: scale.shape[0], "\(op): zero points and scales differ in number")
    }
  }
}

import Formats
import IR
import Support

// Scales and zero points of the format: as parameters of a type where they are constant, as operands otherwise.

extension ONNXNodeContext {
  /// The parameters as a quantized type of `stored`, when they are constant and fit one.
  func parameters(
    _ scale: ValueID, _ zero: ValueID?, axis: Int, stored: ElementType
  ) throws(Diagnostic) -> QuantizationParameters? {
    guard stored.isInteger, stored.bits <= 32, let scaleTensor = tensor(scale), scaleTensor.shape.count <= 1,
      let zeros = zero == nil ? Array(repeating: 0, count: scaleTensor.count) : zero.flatMap({ tensor($0) })?.integers()
    else { return nil }
    let scales = scaleTensor.doubles().map { Float($0) }
    guard !scales.isEmpty, zeros.count == scales.count, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    return QuantizationParameters(scales: scales, zeroPoints: zeros, axis: scales.count == 1 ? nil : axis)
  }

  /// One scale or zero point, or a row of them, as `quantize` takes it: a list of one counts for everything.
  func parameterOperand(_ value: ValueID, of x: ValueID, axis: Int) throws(Diagnostic) -> ValueID {
    let shape = try shape(value)
    let along = try self.shape(x).dropFirst(axis).first
    if shape.count == 1, shape[0].constant == 1, along?.constant != 1 { return try reshape(value, []) }
    return value
  }

  /// The axis along which the parameters differ.
  func quantizedAxis(_ x: ValueID, _ scale: ValueID) throws(Diagnostic) -> Int {
    let shape = try shape(scale)
    guard shape.count == 1, shape[0].constant != 1 else { return 0 }
    return try axis(try int("axis", default: 1), rank: try rank(x))
  }
}

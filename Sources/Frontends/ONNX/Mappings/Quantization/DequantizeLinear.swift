import Formats
import IR
import Support

extension ONNXMapping {
  static let dequantizeLinear = ONNXMapping(
    ["DequantizeLinear"], 10...newest, inputs: 2...3, attributes: ["axis", "block_size", "output_dtype"]
  ) { c throws(Diagnostic) in
    let (x, scale, zero) = (try c.input(0), try c.input(1), c.optionalInput(2))
    let scaleElement = try c.element(scale)
    let target = try c.elementType("output_dtype") ?? scaleElement
    if case .quantized = try c.type(x).element { return [try c.add(Dequantize(to: target), x)] }
    let stored = try c.element(x)
    if try c.hasBlocks(scale) {
      return [try c.blockDequantized(x, scale, zero, target)]
    }
    let axis = try c.quantizedAxis(x, scale)
    // A constant takes its parameters into its type, so that one name stands for the numbers.
    if let parameters = try c.parameters(scale, zero, axis: axis, stored: stored), let tensor = c.storedConstant(x) {
      let name = c.importer.builder.module.intern(parameters)
      let typed = try Tensor(element: .quantized(stored, name), shape: tensor.shape, bytes: tensor.bytes)
      let weight = try c.importer.weight(typed, name: c.node.inputs.first ?? "weight")
      return [try c.add(Dequantize(to: target), weight)]
    }
    let scales = try c.parameterOperand(scale, of: x, axis: axis)
    let zeros = try zero.map { value throws(Diagnostic) in try c.parameterOperand(value, of: x, axis: axis) }
    return [try c.add(Dequantize(to: target, axis: axis), x, scales, zeros)]
  }
}

extension ONNXNodeContext {
  /// The elements of a weight or a constant; nil for anything computed, which folding sees to.
  func storedConstant(_ x: ValueID) -> Tensor? {
    let function = importer.builder.function
    if let name = function.weightName(x) { return importer.builder.module.weight(name)?.tensor }
    guard let op = function.definingOp(x) else { return nil }
    return (function[op].kind as? Constant)?.value
  }
}

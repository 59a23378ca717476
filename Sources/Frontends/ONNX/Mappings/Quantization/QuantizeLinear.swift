import Formats
import IR
import Support

extension ONNXMapping {
  static let quantizeLinear = ONNXMapping(
    ["QuantizeLinear"], 10...newest, inputs: 2...3,
    attributes: ["axis", "block_size", "output_dtype", "precision", "saturate"]
  ) { c throws(Diagnostic) in
    let (input, scale, zero) = (try c.input(0), try c.input(1), c.optionalInput(2))
    let x = try c.element(input).isFloat ? input : try c.cast(input, to: .f32)
    let named = try c.elementType("output_dtype")
    let stored = try zero.map { value throws(Diagnostic) in try c.element(value) } ?? named ?? .u8
    if try c.hasBlocks(scale) {
      return [try c.blockQuantized(x, scale, zero, stored)]
    }
    let saturates = try c.flag("saturate", default: true)
    guard saturates || !stored.isFloat else {
      throw .unsupported("quantization to \(stored.rawValue) without saturation is not supported")
    }
    let axis = try c.quantizedAxis(x, scale)
    if let parameters = try c.parameters(scale, zero, axis: axis, stored: stored), c.isDequantizedOnly(scale, zero) {
      let name = c.importer.builder.module.intern(parameters)
      return [try c.add(Quantize(to: .quantized(stored, name)), x)]
    }
    let scales = try c.cast(try c.parameterOperand(scale, of: x, axis: axis), to: .f32)
    let zeros = try zero.map { value throws(Diagnostic) in try c.parameterOperand(value, of: x, axis: axis) }
    return [try c.add(Quantize(to: .plain(stored), axis: axis), x, scales, zeros)]
  }
}

extension ONNXNodeContext {
  /// Whether everyone who reads the result undoes it with the same parameters, so that its type may carry them.
  fileprivate func isDequantizedOnly(_ scale: ValueID, _ zero: ValueID?) -> Bool {
    let scope = importer.scopes[importer.scopes.count - 1]
    guard let name = node.outputs.first, !scope.outputs.contains(name), let readers = scope.readers[name] else {
      return false
    }
    return readers.allSatisfy { reader in
      guard reader.operatorType == "DequantizeLinear", reader.inputs.first == name, reader.inputs.count >= 2,
        sameConstant(reader.inputs[1], scale),
        reader.attribute("axis")?.int ?? 1 == node.attribute("axis")?.int ?? 1
      else { return false }
      let other = reader.inputs.count > 2 ? reader.inputs[2] : ""
      guard let zero else { return other.isEmpty }
      return !other.isEmpty && sameConstant(other, zero)
    }
  }

  private func sameConstant(_ name: String, _ value: ValueID) -> Bool {
    guard let other = importer.value(named: name) else { return false }
    if other == value { return true }
    guard let a = tensor(other), let b = tensor(value) else { return false }
    return a == b
  }
}

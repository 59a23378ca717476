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
    let axis = try c.quantizedAxis(x, scale)
    if stored.isFloat, stored.bits == 8, try !c.flag("saturate", default: true) {
      // What is out of range becomes infinity or NaN: the quotient, converted as it is.
      let row = try c.rank(scale) == 1 ? try c.reshape(scale, try c.alongAxis(axis, of: x, try c.shape(scale))) : scale
      let quotient = try c.binary(.div, try c.cast(x, to: .f32), try c.cast(row, to: .f32))
      return [try c.add(Cast(to: stored, saturate: false), quotient)]
    }
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

  /// The shape of a row of parameters that stretches along one axis; one of a single number stretches along all.
  fileprivate func alongAxis(_ axis: Int, of x: ValueID, _ row: [Dim]) throws(Diagnostic) -> [Dim] {
    if row[0].constant == 1 { return [] }
    return row + Array(repeating: 1, count: try rank(x) - axis - 1)
  }

  private func sameConstant(_ name: String, _ value: ValueID) -> Bool {
    guard let other = importer.value(named: name) else { return false }
    if other == value { return true }
    guard let a = tensor(other), let b = tensor(value) else { return false }
    return a == b
  }
}

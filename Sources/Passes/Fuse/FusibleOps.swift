import IR

/// Which ops may share a kernel, and how their operands may be shaped.
enum FusibleOps {
  /// Computes each element of the result from the elements of the operands at the same place.
  static func isElementwise(_ kind: any OpKind) -> Bool {
    kind is Unary || kind is Binary || kind is Compare || kind is Select || kind is Cast || kind is Quantize
      || kind is Dequantize || kind is FakeQuant
  }

  static func isContraction(_ kind: any OpKind) -> Bool { kind is MatMul || kind is Conv }
  static func isReduction(_ kind: any OpKind) -> Bool { kind is Reduce || kind is Softmax }

  /// Why an operand cannot be read beside an element of `shape`, or nil where it can: a scalar, one number a
  /// channel (the last axis), or the same shape.
  static func misfit(_ operand: [Dim], besides shape: [Dim]) -> String? {
    if operand == shape { return nil }
    let skipped = shape.count - operand.count
    guard skipped >= 0 else { return "shape differs: \(operand) beside \(shape)" }
    let stretched = operand.indices.filter { operand[$0].constant != 1 }
    guard let first = stretched.first else { return nil }
    if stretched == [operand.count - 1] { return nil }
    for axis in operand.indices where operand[axis].constant == 1 && shape[axis + skipped].constant != 1 {
      let isBatch = axis + skipped == 0 || first + skipped == 0
      return isBatch ? "broadcast along the batch axis" : "broadcast along axis \(axis + skipped)"
    }
    return skipped > 0 ? "broadcast along the batch axis" : "shape differs: \(operand) beside \(shape)"
  }
}

import IR
import Support

extension GatherElements: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let (x, indices) = (try program.operand(0, of: op), try program.operand(1, of: op))
    let (type, indexType) = (try program.tensorType(x), try program.tensorType(indices))
    let axis = axis < 0 ? axis + type.rank : axis
    program.requireNoLonger(indexType.shape, than: type.shape, except: axis, site: program.site(op))
    let source = try program.moveSource(x)
    let result = program.function[op].results[0]
    let generator = ElementIndexGenerator(
      shape: indexType.shape, dataShape: type.shape, axis: axis,
      indices: try TensorView(dense: indexType, try program.buffer(of: indices)))
    try program.withMoveTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      guard !indexType.shape.contains(0) else { return }
      try program.dispatch("gather_elements", at: program.site(op)) { scope throws(Diagnostic) in
        try generator.gather(scope, source, to: target)
      }
    }
  }
}

extension ProgramBuilder {
  /// An operand that must be there.
  func operand(_ number: Int, of op: OpID) throws(Diagnostic) -> ValueID {
    let operation = function[op]
    guard number < operation.operands.count, let value = operation.operands[number] else {
      throw .bug("\(operation.kind.mnemonic) lacks an operand")
    }
    return value
  }

  /// A dense operand as a kernel reads it.
  func view(_ number: Int, of op: OpID) throws(Diagnostic) -> TensorView {
    let value = try operand(number, of: op)
    return try TensorView(dense: try tensorType(value), try buffer(of: value))
  }

  /// Fails at run time where indices are longer than the data along another axis than their own.
  func requireNoLonger(_ shape: [Dim], than data: [Dim], except axis: Int, site: String) {
    for other in shape.indices where other != axis { requireNonNegative(data[other] - shape[other], site: site) }
  }
}

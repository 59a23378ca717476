import IR
import Support

extension Softmax: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("softmax without an operand") }
    let type = try program.tensorType(x)
    let axis = axis < 0 ? axis + type.rank : axis
    let source = try TensorView(dense: type, try program.buffer(of: x))
    let target = try TensorView(dense: type, try program.allocate(for: operation.results[0]))
    guard source.element.bits >= 8 else { throw .unsupported("softmax of \(type) has no code yet") }
    if type.shape.contains(0) { return }
    try program.dispatch("softmax", at: program.site(op)) { scope throws(Diagnostic) in
      try SoftmaxGenerator(
        outer: type.shape[..<axis].reduce(Dim(1), *), length: type.shape[axis],
        inner: type.shape[(axis + 1)...].reduce(Dim(1), *), source: source, target: target
      ).generate(scope)
    }
  }
}

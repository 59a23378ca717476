import IR
import Support

extension Determinant: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("determinant without an operand") }
    let type = try program.tensorType(x)
    let result = operation.results[0]
    let target = try TensorView(dense: try program.tensorType(result), try program.allocate(for: result))
    let count = type.shape.dropLast(2).reduce(Dim(1), *)
    guard count != 0 else { return }
    let source = try TensorView(dense: type, try program.buffer(of: x))
    let bytes = type.elementCount * 8
    let copy = program.addBuffer("copy of \(program.label(x))", bytes: bytes, .workspace)
    let generator = DeterminantGenerator(
      count: count, order: type.shape[type.rank - 1], source: source, copy: copy, target: target)
    try program.dispatch("determinant", at: program.site(op)) { scope throws(Diagnostic) in
      try generator.generate(scope)
    }
  }
}

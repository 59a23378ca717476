import IR
import Support

extension BitCast: OpLowering {
  /// Another name for the same bytes; bools are made of them, since theirs are 0 and 1.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("bit_cast without an operand") }
    let result = operation.results[0]
    let type = try program.tensorType(result)
    guard type.plain == .bool else {
      let bytes = try program.bytes(of: type)
      let source = try program.buffer(of: x)
      program.bind(result, to: program.addBuffer(program.label(result), bytes: bytes, .alias(source)))
      return
    }
    let source = try TensorView(dense: type.with(element: .u8), try program.buffer(of: x))
    let target = try TensorView(dense: type, try program.allocate(for: result))
    try program.emitMap(type.shape, [source], [target], site: program.site(op)) { scope, values in
      let build = scope.build
      return [build.compare(.ne, values[0], build.zero(build.type(values[0])))]
    }
  }
}

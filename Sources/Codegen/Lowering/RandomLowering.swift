import IR
import Support

extension RandomBits: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let result = program.function[op].results[0]
    let type = try program.tensorType(result)
    let target = try TensorView(dense: type, try program.allocate(for: result))
    guard !type.shape.contains(0) else { return }
    try program.dispatch("random", at: program.site(op)) { scope throws(Diagnostic) in
      try RandomGenerator(kind: self, count: type.elementCount, target: target).generate(scope)
    }
  }
}

import IR
import Support

extension MaxPoolIndex: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let result = program.function[op].results[0]
    let shape = try program.tensorType(result).shape
    let geometry = try pool.geometry
    let image = try program.view(0, of: op)
    let target = try program.allocate(for: result)
    guard !shape.contains(0) else { return }
    try program.dispatch("max_pool_index", at: program.site(op)) { scope throws(Diagnostic) in
      try MaxPoolIndexGenerator(
        geometry: geometry, imageShape: type.shape, resultShape: shape, image: image, target: target
      ).generate(scope)
    }
  }
}

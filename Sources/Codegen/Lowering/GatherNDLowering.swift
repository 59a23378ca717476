import IR
import Support

extension GatherND: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let x = try program.operand(0, of: op)
    let (type, indexType) = (try program.tensorType(x), try program.operandType(1, of: op))
    let source = try program.moveSource(x)
    let result = program.function[op].results[0]
    let isEmpty = try program.tensorType(result).shape.contains(0)
    let generator = CoordinateGenerator(
      places: try CoordinatePlaces(type.shape, indexType.shape, batchDims: batchDims, mnemonic),
      batchDims: batchDims, dataShape: type.shape, indices: try program.view(1, of: op))
    try program.withMoveTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      guard !isEmpty else { return }
      try program.dispatch("gather_nd", at: program.site(op)) { scope throws(Diagnostic) in
        try generator.gather(scope, source, to: target)
      }
    }
  }
}

import IR
import Support

extension Fold: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let element = try type.elementForCode()
    let result = program.function[op].results[0]
    let shape = try program.tensorType(result).shape
    let geometry = try geometry
    let source = try program.view(0, of: op)
    try program.withElementBits(of: result, site: program.site(op)) { target throws(Diagnostic) in
      guard !shape.contains(0) else { return }
      let places = try geometry.extents(spatial)
      try program.dispatch("fold", at: program.site(op)) { scope throws(Diagnostic) in
        try FoldGenerator(
          geometry: geometry, planes: shape[0] * shape[1], spatial: spatial, places: places, element: element,
          data: source, target: target
        ).generate(scope)
      }
    }
  }
}

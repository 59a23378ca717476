import IR
import Support

extension RegionAlign: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let regions = try program.operandType(1, of: op)
    let result = program.function[op].results[0]
    let views = (try program.view(0, of: op), try program.view(1, of: op), try program.view(2, of: op))
    let isEmpty = try program.tensorType(result).shape.contains(0)
    try program.withElementTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      guard !isEmpty else { return }
      try program.dispatch("region_align", at: program.site(op)) { scope throws(Diagnostic) in
        try RegionAlignGenerator(
          op: self, shape: type.shape, count: regions.shape[0], image: views.0, regions: views.1, numbers: views.2,
          target: target
        ).generate(scope)
      }
    }
  }
}

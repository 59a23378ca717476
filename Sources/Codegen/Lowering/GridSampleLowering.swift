import IR
import Support

extension GridSample: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let places = try program.operandType(1, of: op)
    let result = program.function[op].results[0]
    let (image, grid) = (try program.view(0, of: op), try program.view(1, of: op))
    let isEmpty = try program.tensorType(result).shape.contains(0)
    try program.withElementTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      guard !isEmpty else { return }
      try program.dispatch("grid_sample", at: program.site(op)) { scope throws(Diagnostic) in
        try GridSampleGenerator(
          op: self, images: type.shape[0], spatial: Array(type.shape[1..<type.rank - 1]),
          channels: type.shape[type.rank - 1], count: places.shape[1..<places.rank - 1].reduce(Dim(1), *),
          image: image, grid: grid, target: target
        ).generate(scope)
      }
    }
  }
}

import IR
import Support

extension ReverseSequence: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let x = try program.operand(0, of: op)
    let type = try program.tensorType(x)
    let axes = try axes(rank: type.rank)
    let source = try program.moveSource(x)
    let lengths = try program.view(1, of: op)
    try program.withMoveTarget(of: program.function[op].results[0], site: program.site(op)) {
      target throws(Diagnostic) in
      guard !type.shape.contains(0) else { return }
      try program.dispatch("reverse_sequence", at: program.site(op)) { scope throws(Diagnostic) in
        try ReverseSequenceGenerator(
          shape: type.shape, batchAxis: axes.batch, timeAxis: axes.time, lengths: lengths, data: source,
          target: target
        ).generate(scope)
      }
    }
  }
}

import IR
import Support

extension ArgExtreme: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let axis = axis < 0 ? axis + type.rank : axis
    let source = try program.view(0, of: op)
    let result = program.function[op].results[0]
    let target = try program.allocate(for: result)
    guard !(try program.tensorType(result).shape.contains(0)) else { return }
    try program.dispatch("arg_extreme", at: program.site(op)) { scope throws(Diagnostic) in
      try ArgExtremeGenerator(
        outer: type.shape[..<axis].reduce(Dim(1), *), extent: type.shape[axis],
        inner: type.shape[(axis + 1)...].reduce(Dim(1), *), isMaximum: function == .max, last: last, data: source,
        target: target
      ).generate(scope)
    }
  }
}

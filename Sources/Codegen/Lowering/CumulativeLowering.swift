import IR
import Support

extension Cumulative: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let element = try type.elementForCode()
    let axis = axis < 0 ? axis + type.rank : axis
    let source = try program.view(0, of: op)
    let combination = try Combination(function == .sum ? .sum : .product, element)
    try program.withElementBits(of: program.function[op].results[0], site: program.site(op)) {
      target throws(Diagnostic) in
      guard !type.shape.contains(0) else { return }
      try program.dispatch("cumulative", at: program.site(op)) { scope throws(Diagnostic) in
        try CumulativeGenerator(
          outer: type.shape[..<axis].reduce(Dim(1), *), extent: type.shape[axis],
          inner: type.shape[(axis + 1)...].reduce(Dim(1), *), exclusive: exclusive, reverse: reverse,
          element: element, combination: combination, data: source, target: target
        ).generate(scope)
      }
    }
  }
}

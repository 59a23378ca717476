import IR
import Support

extension NonZero: OpLowering {
  /// One pass counts, so that the result has a size; the next writes it.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0], let symbol = extent.symbolName else {
      throw .bug("non_zero without an operand or a symbol")
    }
    let type = try program.tensorType(x)
    let source = try TensorView(dense: type, try program.buffer(of: x))
    let generator = NonZeroGenerator(shape: type.shape, source: source)
    let count = program.addBuffer("count of \(program.label(operation.results[0]))", bytes: 8, .workspace)
    try program.dispatch("count", at: program.site(op)) { scope throws(Diagnostic) in
      try generator.count(scope, to: count)
    }
    let range = program.ranges[symbol] ?? 0...(1 << 40)
    program.append(.bindSymbol(name: symbol, buffer: count, range: range, site: program.site(op)))
    program.markBound(symbol)
    program.bound(symbol, by: type.elementCount)
    let target = try program.allocate(for: operation.results[0])
    if type.rank == 0 || type.shape.contains(0) { return }
    try program.dispatch("positions", at: program.site(op)) { scope throws(Diagnostic) in
      try generator.positions(scope, count: extent, to: target)
    }
  }
}

import IR
import Support

extension Extent: OpLowering {
  /// From here on the symbol has the tensor's value, checked against its range.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let value = operation.operands[0] else { throw .bug("extent without a value") }
    guard let name = symbol.symbolName else { throw .bug("extent of \(symbol), which is no symbol") }
    let buffer = try program.buffer(of: value)
    let range = program.ranges[name] ?? 0...(1 << 40)
    program.append(.bindSymbol(name: name, buffer: buffer, range: range, site: program.site(op)))
    program.markBound(name)
    program.bind(operation.results[0], to: buffer)
  }
}

import IR
import Support

extension Unique: OpLowering {
  /// Sorting tells the number of groups, so that the results have a size; then they are written.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    guard let symbol = extent.symbolName else { throw .bug("unique without a symbol") }
    let type = try program.operandType(0, of: op)
    let results = program.function[op].results
    let site = program.site(op)
    let count = type.shape[0]
    let generator = UniqueGenerator(
      count: count, size: type.shape[1...].reduce(Dim(1), *), data: try program.view(0, of: op))
    let order = program.addBuffer("order of \(program.label(results[0]))", bytes: count * 8, .workspace)
    let firsts = program.addBuffer("groups of \(program.label(results[0]))", bytes: count * 8, .workspace)
    let found = program.addBuffer("count of \(program.label(results[0]))", bytes: 8, .workspace)
    try program.dispatch("sort", at: site) { scope throws(Diagnostic) in try generator.sort(scope, to: order) }
    try program.dispatch("group", at: site) { scope throws(Diagnostic) in
      try generator.group(scope, order: order, firsts: firsts, groups: found)
    }
    let range = program.ranges[symbol] ?? 0...(1 << 40)
    program.append(.bindSymbol(name: symbol, buffer: found, range: range, site: site))
    program.markBound(symbol)
    program.bound(symbol, by: count)
    let indices = try program.allocate(for: results[0])
    let inverse = try program.allocate(for: results[1])
    let counts = try program.allocate(for: results[2])
    try program.dispatch("unique", at: site) { scope throws(Diagnostic) in
      generator.number(
        scope, order: sorted ? order : nil, firsts: firsts, indices: indices, inverse: inverse, counts: counts)
    }
  }
}

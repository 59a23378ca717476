import IR
import Support

extension StringConcat: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerTexts(.stringConcat, op)
  }
}

extension StringCase: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let table = TextTable.cases(self)
    try program.lowerTexts(.stringCase, op, table: program.table(to.rawValue, table.bytes), [Dim(table.count)])
  }
}

extension StringFind: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let keys = keys?.strings ?? []
    let table = TextTable.search(keys)
    try program.lowerTexts(
      .stringFind, op, table: program.table("keys", table.bytes), [Dim(table.count), Dim(keys.count)])
  }
}

extension StringMatch: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let table = try MatchTable(try RegularExpressionAutomaton(try RegularExpression(pattern)))
    try program.lowerTexts(.stringMatch, op, table: program.table("pattern", table.bytes), [Dim(table.stateCount)])
  }
}

extension StringSplit: OpLowering {
  /// Counting the pieces tells how large the result is.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0], let symbol = extent.symbolName else { throw .bug("string_split of nothing") }
    let count = try program.tensorType(x).elementCount
    let site = program.site(op)
    let bytes = Array(delimiter.utf8)
    let given = [
      BufferUse(try program.buffer(of: x), .read), BufferUse(program.table("delimiter", bytes), .read),
    ]
    let scalars = [count, Dim(bytes.count), Dim(limit)]
    let most = program.addBuffer("pieces of \(program.label(operation.results[0]))", bytes: 8, .workspace)
    let numbers = try program.allocate(for: operation.results[1])
    program.call(.stringCount, given + [BufferUse(numbers, .write), BufferUse(most, .write)], scalars, at: site)
    let range = program.ranges[symbol] ?? 0...(1 << 40)
    program.append(.bindSymbol(name: symbol, buffer: most, range: range, site: site))
    program.markBound(symbol)
    let pieces = try program.allocate(for: operation.results[0])
    program.call(.stringSplit, given + [BufferUse(pieces, .write)], scalars + [extent], at: site)
  }
}

extension ProgramBuilder {
  /// Whether an op works on texts, for which kernels have no arithmetic.
  func takesTexts(_ op: OpID) -> Bool {
    function[op].operands.contains { $0.map { function.tensorType($0)?.plain == .string } ?? false }
  }

  /// A function of one text at a time, with a table.
  fileprivate func lowerTexts(
    _ call: RuntimeFunction, _ op: OpID, table: BufferID, _ scalars: [Dim]
  ) throws(Diagnostic) {
    guard let x = function[op].operands[0] else { throw .bug("\(function[op].kind.mnemonic) of nothing") }
    let result = function[op].results[0]
    let uses = [
      BufferUse(try buffer(of: x), .read), BufferUse(table, .read), BufferUse(try allocate(for: result), .write),
    ]
    self.call(call, uses, [try tensorType(x).elementCount] + scalars, at: site(op))
  }

  /// A function of two texts that broadcast.
  func lowerTexts(_ call: RuntimeFunction, _ op: OpID, _ scalars: [Dim] = []) throws(Diagnostic) {
    let result = function[op].results[0]
    let shape = try tensorType(result).shape
    guard shape.count <= 16 else { throw .unsupported("texts of rank \(shape.count) have no code") }
    var uses: [BufferUse] = []
    var walk = [Dim(shape.count)] + shape
    for operand in function[op].operands {
      guard let operand else { throw .bug("\(function[op].kind.mnemonic) lacks an operand") }
      uses.append(BufferUse(try buffer(of: operand), .read))
      let type = try tensorType(operand)
      walk += try TensorView(dense: type, uses[uses.count - 1].buffer).broadcast(from: type.shape, to: shape).strides
    }
    uses.append(BufferUse(try allocate(for: result), .write))
    self.call(call, uses, scalars + walk, at: site(op))
  }
}

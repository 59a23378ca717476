import IR
import Support

extension NonMaxSuppression: OpLowering {
  /// Choosing tells the number of rows, so that the result has a size; then they are written.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    guard let symbol = extent.symbolName else { throw .bug("non_max_suppression without a symbol") }
    let operation = program.function[op]
    let scores = try program.operandType(1, of: op).shape
    let label = program.label(operation.results[0])
    let site = program.site(op)
    var threshold: BufferID?
    if operation.operands.count > 4, let value = operation.operands[4] { threshold = try program.buffer(of: value) }
    let generator = SuppressionGenerator(
      images: scores[0], classes: scores[1], boxCount: scores[2], center: center,
      boxes: try program.buffer(of: try program.operand(0, of: op)),
      scores: try program.buffer(of: try program.operand(1, of: op)),
      limit: try program.buffer(of: try program.operand(2, of: op)),
      overlap: try program.buffer(of: try program.operand(3, of: op)), threshold: threshold)
    let lines = scores[0] * scores[1]
    let lists = program.addBuffer("boxes of \(label)", bytes: lines * scores[2] * 8, .workspace)
    let counts = program.addBuffer("counts of \(label)", bytes: lines * 8, .workspace)
    let total = program.addBuffer("count of \(label)", bytes: 8, .workspace)
    try program.dispatch("suppress", at: site) { generator.choose($0, to: lists, counts: counts) }
    try program.dispatch("count", at: site) { generator.total($0, counts: counts, to: total) }
    let range = program.ranges[symbol] ?? 0...(1 << 40)
    program.append(.bindSymbol(name: symbol, buffer: total, range: range, site: site))
    program.markBound(symbol)
    program.bound(symbol, by: lines * scores[2])
    let target = try program.allocate(for: operation.results[0])
    try program.dispatch("boxes", at: site) { generator.rows($0, lists: lists, counts: counts, to: target) }
  }
}

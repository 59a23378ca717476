import IR
import Support

extension TreeEnsemble: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    var known: [Value] = [.optional(nil)]
    for number in 1...6 {
      guard let (_, tensor) = program.constant(try program.operand(number, of: op)) else {
        throw .unsupported("trees that are computed have no code; their tables must be constant")
      }
      known.append(.tensor(tensor))
    }
    let tables = try TreeEnsembleTables(known, outputs: outputs)
    let x = try program.tensorType(try program.operand(0, of: op))
    let result = program.function[op].results[0]
    let target = try TensorView(dense: try program.tensorType(result), try program.allocate(for: result))
    program.requireNonNegative(x.shape[1] - 1 - (tables.features.max() ?? -1), site: program.site(op))
    guard x.shape[0] != 0 else { return }
    let generator = TreeWalkGenerator(
      op: self, shape: x.shape, trees: tables.roots.count, nodes: tables.features.count, width: tables.width,
      x: try program.view(0, of: op), features: try program.view(1, of: op), thresholds: try program.view(2, of: op),
      children: try program.view(3, of: op), roots: try program.view(4, of: op), targets: try program.view(5, of: op),
      weights: try program.view(6, of: op), target: target)
    try program.dispatch("trees", at: program.site(op)) { scope throws(Diagnostic) in try generator.generate(scope) }
  }
}

import IR
import Support

extension Fusion: OpLowering {
  /// One kernel for the whole region where the generators can express it; otherwise its ops one by one, which is
  /// always right.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let function = program.function
    let operation = function[op]
    let region = operation.regions[0]
    for (argument, operand) in zip(function[region].arguments, operation.operands) {
      if let operand { try program.bind(argument: argument, to: operand) }
    }
    let ops = function.ops(in: region)
    let yields = function[region].yields
    for (result, yield) in zip(operation.results, yields) { program.give(yield, thePlaceOf: result) }
    try program.lowerFused(ops, yields: yields)
    for (result, yield) in zip(operation.results, yields) { try program.bind(result, as: yield) }
  }
}

extension ProgramBuilder {
  func lowerFused(_ all: [OpID], yields: [ValueID]) throws(Diagnostic) {
    // Constants lie among the weights; what reads them reads memory.
    for op in all where function[op].kind is Constant { try lowerSingle(op) }
    let ops = all.filter { !(function[$0].kind is Constant) }
    let site = ops.flatMap { function[$0].locations }.uniqued().joined(separator: ", ")
    let isScalar = { (op: OpID) in self.function[op].kind is any ScalarLowering && !self.takesTexts(op) }
    if ops.allSatisfy(isScalar), sameShape(yields) {
      return try lowerMap(ops, results: yields, site: site.isEmpty ? "fusion" : site)
    }
    if let anchor = ops.first, function[anchor].kind is MatMul || function[anchor].kind is Conv,
      ops.dropFirst().allSatisfy(isScalar), yields.count == 1, isEpilogue(Array(ops.dropFirst()), of: anchor, yields[0])
    {
      return try lowerContraction(anchor, followedBy: Array(ops.dropFirst()), result: yields[0])
    }
    for op in ops { try lowerSingle(op) }
  }

  /// Whether the scalar ops keep the contraction's shape, compute nothing that only one lane may, and write whole bytes.
  private func isEpilogue(_ ops: [OpID], of anchor: OpID, _ yield: ValueID) -> Bool {
    guard let shape = function.tensorType(function[anchor].results[0])?.shape else { return false }
    for op in ops {
      let operation = function[op]
      guard let kind = operation.kind as? any ScalarLowering, let type = function.tensorType(operation.results[0]),
        type.shape == shape
      else { return false }
      let elements = operation.operands.compactMap { $0.flatMap { function.tensorType($0)?.element.storage } }
      if kind.canFail(elements) { return false }
    }
    guard let storage = function.tensorType(yield)?.element.storage else { return false }
    return storage.bits >= 8
  }

  private func sameShape(_ values: [ValueID]) -> Bool {
    guard let shape = function.tensorType(values[0])?.shape else { return false }
    return values.allSatisfy { function.tensorType($0)?.shape == shape }
  }
}

extension Array where Element: Hashable {
  /// The elements without repetitions, in order.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

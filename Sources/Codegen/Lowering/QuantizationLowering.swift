import IR
import Support

extension Quantize: OpLowering {}
extension FakeQuant: OpLowering {}

extension Dequantize: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    let type = try program.operandType(0, of: op)
    guard case .block(let format) = type.element, let x = operation.operands[0] else {
      return try program.lowerMap([op], results: operation.results, site: program.site(op))
    }
    guard let unpacking = BlockUnpacking.of(format) else {
      throw .unsupported("dequantize of \(format.name) has no code yet")
    }
    let result = operation.results[0]
    let source = try program.buffer(of: x)
    guard !type.shape.contains(0) else {
      try program.allocate(for: result)
      return
    }
    let target = try TensorView(dense: try program.tensorType(result), try program.allocate(for: result))
    guard target.element.bits >= 8 else {
      throw .unsupported("dequantize to \(target.element.rawValue) has no code yet")
    }
    let blocks = type.elementCount.floorDivided(by: Dim(format.valuesPerBlock))
    try program.dispatch("unpack", at: program.site(op)) { scope throws(Diagnostic) in
      try BlockGenerator(unpacking: unpacking, blocks: blocks, source: source, target: target).generate(scope)
    }
  }
}

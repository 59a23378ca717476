import IR
import Support

extension Rope: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let xValue = operation.operands[0], let cosines = operation.operands[1], let sines = operation.operands[2]
    else { throw .bug("rope without operands") }
    let x = try program.tensorType(xValue)
    let table = try program.tensorType(cosines)
    guard let width = x.shape[x.rank - 1].constant, let pairs = table.shape[table.rank - 1].constant else {
      throw .bug("rope of rows of unknown width")
    }
    let outer = Array(x.shape.dropLast())
    /// A tensor's rows under the axes of `x`.
    func rows(_ type: TensorType, _ buffer: BufferID) throws(Diagnostic) -> TensorView {
      var view = try TensorView(dense: type, buffer)
      view.strides.removeLast()
      return view.broadcast(from: Array(type.shape.dropLast()), to: outer)
    }
    let source = try rows(x, try program.buffer(of: xValue))
    let target = try rows(x, try program.allocate(for: operation.results[0]))
    guard source.element.bits >= 8 else { throw .unsupported("rope of \(x) has no code yet") }
    if x.shape.contains(0) { return }
    let generator = RopeGenerator(
      outer: outer, width: width, pairs: pairs, interleaved: interleaved, source: source,
      cosines: try rows(table, try program.buffer(of: cosines)),
      sines: try rows(try program.tensorType(sines), try program.buffer(of: sines)), target: target)
    try program.dispatch("rope", at: program.site(op)) { scope throws(Diagnostic) in try generator.generate(scope) }
  }
}

import IR
import Support
import Targets

extension Attention: OpLowering {
  /// The widest heads that have code: what a block of queries needs must fit a thread's stack.
  private static let widest = 1024

  func reading(_ number: Int) -> OperandReading { number < 3 ? .strides : .dense }

  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    let operands = operation.operands
    guard let qValue = operands[0], let kValue = operands[1], let vValue = operands[2] else {
      throw .bug("attention without operands")
    }
    let (q, k, v) = (try program.tensorType(qValue), try program.tensorType(kValue), try program.tensorType(vValue))
    var context = program.module.inferenceContext
    let extents = try extents(q, k, v, in: &context)
    guard let width = extents.width.constant, let valueWidth = extents.valueWidth.constant,
      Swift.max(width, valueWidth) <= Self.widest
    else {
      throw .unsupported("attention with heads of \(extents.width) and \(extents.valueWidth) elements has no code yet")
    }
    let group: Dim
    if extents.heads == extents.keyHeads {
      group = 1
    } else if let heads = extents.heads.constant, let keyHeads = extents.keyHeads.constant, keyHeads > 0 {
      group = Dim(heads / keyHeads)
    } else {
      throw .bug("attention with heads that no typing allows")
    }
    let element = try q.elementForCode()
    let multiplication = try Multiplication(left: element, right: element, profile: program.profile)
    let result = operation.results[0]
    let target = try program.allocate(for: result)
    let resultType = try program.tensorType(result)
    if resultType.shape.contains(0) { return }

    /// Strides of batch, head, position.
    func view(_ view: TensorView) -> TensorView {
      var view = view
      if sequenceFirst { view.strides.swapAt(1, 2) }
      return view
    }
    /// What lies in any way, but each head's elements side by side.
    func readable(_ value: ValueID) throws(Diagnostic) -> TensorView {
      let (view, type) = (try program.view(of: value), try program.tensorType(value))
      if view.strides[type.rank - 1] == 1 { return view }
      return try TensorView(dense: type, try program.buffer(of: value))
    }
    let scores = [extents.batch, extents.heads, extents.queries, extents.keys]
    var mask: TensorView?
    if operands.count > 3, let value = operands[3] {
      let type = try program.tensorType(value)
      mask = try TensorView(dense: type, try program.buffer(of: value)).broadcast(from: type.shape, to: scores)
    }
    let sinks =
      try operands.count > 4 ? operands[4].map { value throws(Diagnostic) in try program.buffer(of: value) } : nil
    let rows = group * extents.queries
    var tile = try TileChoice.best(multiplication, rows: 128, columns: rows, profile: program.profile)
    // Wide heads take narrow blocks.
    if Swift.max(width, valueWidth) > 256, tile.vectors > 2 {
      tile = Tile(rows: tile.rows, vectors: 2, unroll: tile.unroll)
    }
    let generator = AttentionGenerator(
      attention: self, batch: extents.batch, keyHeads: extents.keyHeads, group: group, queries: extents.queries,
      keys: extents.keys, width: width, valueWidth: valueWidth, multiplication: multiplication, tile: tile,
      q: view(try readable(qValue)), k: view(try readable(kValue)), v: view(try readable(vValue)),
      result: view(try TensorView(dense: resultType, target)), mask: mask, sinks: sinks)
    try program.dispatch("attention", at: program.site(op)) { scope throws(Diagnostic) in
      try generator.generate(scope)
    }
  }
}

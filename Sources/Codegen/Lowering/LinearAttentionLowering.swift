import IR
import Support

extension LinearAttention: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    let operands = operation.operands
    func type(_ number: Int) throws(Diagnostic) -> TensorType { try program.operandType(number, of: op) }
    func buffer(_ number: Int) throws(Diagnostic) -> BufferID? {
      guard number < operands.count, let value = operands[number] else { return nil }
      return try program.buffer(of: value)
    }
    guard let q = try buffer(0), let k = try buffer(1), let v = try buffer(2) else {
      throw .bug("linear_attention without operands")
    }
    let (query, key, value) = (try type(0), try type(1), try type(2))
    let element = try query.elementForCode()
    let (result, last) = (
      try program.allocate(for: operation.results[0]), try program.allocate(for: operation.results[1])
    )
    let stateType = try program.tensorType(operation.results[1])
    if stateType.shape.contains(0) { return }
    var group = 1
    if query.shape[2] != key.shape[2] {
      guard let heads = query.shape[2].constant, let keyHeads = key.shape[2].constant, keyHeads > 0 else {
        throw .bug("linear_attention with heads that no typing allows")
      }
      group = heads / keyHeads
    }
    guard group <= 64 else { throw .unsupported("linear_attention with \(group) queries a key has no code yet") }
    var decay: (buffer: BufferID, isWide: Bool)?
    if let factors = try buffer(3) { decay = (factors, try type(3).shape[3] != 1) }
    let wide: ElementType = element == .f64 ? .f64 : .f32
    let generator = LinearAttentionGenerator(
      scale: scale, batch: query.shape[0], steps: query.shape[1], keyHeads: key.shape[2], group: group,
      width: query.shape[3], columns: value.shape[3], element: element, q: q, k: k, v: v, decay: decay,
      rate: try buffer(4), start: try buffer(5),
      state: try program.allocate(stateType.with(element: wide), "state of \(program.label(operation.results[0]))"),
      result: result, last: last)
    try program.dispatch("linear_attention", at: program.site(op)) { scope throws(Diagnostic) in
      try generator.generate(scope)
    }
  }
}

import IR
import Support

extension StateRead: OpLowering {
  /// The value read is a copy: a later update must not change it.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let result = program.function[op].results[0]
    let source = try program.stateBuffer(state)
    let target = try program.allocate(for: result)
    program.append(.copy(from: source, to: target, bytes: try program.bytes(of: try program.tensorType(result))))
  }
}

extension StateUpdate: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    guard let value = program.function[op].operands[0] else { throw .bug("state_update without a value") }
    let bytes = try program.bytes(of: try program.tensorType(value))
    program.append(.copy(from: try program.buffer(of: value), to: try program.stateBuffer(state), bytes: bytes))
  }
}

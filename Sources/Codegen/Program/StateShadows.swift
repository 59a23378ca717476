import IR

/// Keeps a run that is given up from changing state.
///
/// Where a size or an extent comes to light only while running, there may be too little memory for it: the caller makes
/// room and runs again. A state that was updated before that point would then be updated twice. In such an entry the
/// states live in the workspace, and what became of them is written back at the end.
///
///     copy @total -> shadow
///     ...                          // reads and updates use the shadow
///     copy shadow -> @total
extension ProgramBuilder {
  /// The steps with shadows where they are needed.
  func shadowStates(_ steps: [Step]) -> [Step] {
    var search = LateUpdates(self)
    search.walk(steps)
    guard search.isHazard else { return steps }
    var before: [Step] = []
    var after: [Step] = []
    for (shadow, isWritten) in search.states.sorted(by: { $0.key < $1.key }) {
      let buffer = buffers[shadow.number]
      let state = addBuffer(buffer.label, bytes: buffer.bytes, buffer.place)
      moveToWorkspace(shadow)
      before.append(.copy(from: state, to: shadow, bytes: buffer.bytes))
      if isWritten { after.append(.copy(from: shadow, to: state, bytes: buffer.bytes)) }
    }
    return before + steps + after
  }
}

/// Looks for steps that may fail for want of room behind ones that write state.
private struct LateUpdates {
  private let program: ProgramBuilder
  /// The states that the steps touch, and whether they write them.
  var states: [BufferID: Bool] = [:]
  var isHazard = false
  /// How many steps have written state so far, and how many may lack room.
  private var writes = 0
  private var limits = 0

  init(_ program: ProgramBuilder) { self.program = program }

  mutating func walk(_ steps: [Step]) {
    for step in steps {
      switch step {
      case .dispatch(let dispatch): for use in dispatch.buffers { touch(use.buffer, writes: use.access != .read) }
      case .call(let call):
        for use in call.buffers { touch(use.buffer, writes: use.access != .read) }
        mayRunOut()
      case .copy(let from, let to, _):
        touch(from, writes: false)
        touch(to, writes: true)
      case .fill(let buffer, _), .storeIndex(_, let buffer, _), .storeByte(_, let buffer): touch(buffer, writes: true)
      case .bindSymbol(_, let buffer, _, _):
        touch(buffer, writes: false)
        mayRunOut()
      case .setSymbol: mayRunOut()
      case .require: break
      case .deliver(_, let buffer, _):
        touch(buffer, writes: false)
        mayRunOut()
      case .ifElse(let condition, let then, let otherwise):
        touch(condition, writes: false)
        walk(then)
        walk(otherwise)
      case .loop(_, let trip, let condition, let growing, let body):
        if let trip { touch(trip, writes: false) }
        touch(condition, writes: false)
        let before = (writes, limits)
        if !growing.isEmpty { mayRunOut() }
        walk(body)
        // What comes first in one iteration comes behind the end of the one before.
        isHazard = isHazard || (writes > before.0 && limits > before.1)
      }
    }
  }

  private mutating func touch(_ buffer: BufferID, writes isWrite: Bool) {
    let root = program.root(of: buffer)
    guard case .state = program.buffers[root.number].place else { return }
    states[root] = states[root] ?? false || isWrite
    if isWrite { writes += 1 }
  }

  private mutating func mayRunOut() {
    limits += 1
    isHazard = isHazard || writes > 0
  }
}

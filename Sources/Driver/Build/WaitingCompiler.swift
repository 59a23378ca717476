import Glibc
import Support
import Synchronization

/// clang, started before there is anything to compile.
///
/// It takes longer to start than to compile the tables of a small model. A process that has compiled one model and
/// compiles another keeps one started, which reads its text when there is one; without the process it reads the end of
/// its input and ends.
enum WaitingCompiler {
  private struct Waiting {
    var arguments: [String]
    var process: RunningProcess
    /// Whose child it is: a process that was forked from ours must not talk to it.
    var owner: pid_t
  }

  private struct State {
    var waiting: Waiting?
    var uses = 0
  }

  private static let state = Mutex(State())

  /// Sees to it that a compiler is on its way, from the second model on.
  static func prepare(_ arguments: [String]) {
    state.withLock { state in
      state.uses += 1
      guard state.uses > 1 else { return }
      start(arguments, &state)
    }
  }

  /// What the compiler makes of a text.
  static func compile(_ text: [UInt8], _ arguments: [String]) throws(Diagnostic) -> [UInt8] {
    let waiting = state.withLock { state in
      let waiting = state.waiting
      state.waiting = nil
      return waiting
    }
    let process: RunningProcess
    if let waiting, waiting.arguments == arguments, waiting.owner == getpid() {
      process = waiting.process
    } else {
      process = try RunningProcess(Toolchain.clang, arguments, input: .collected, output: .collected)
    }
    let outcome = process.finish(text)
    guard outcome.status == 0 else {
      let reason = String(decoding: outcome.errors.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      throw .bug("\(Toolchain.clang) failed: \(reason.isEmpty ? "status \(outcome.status)" : reason)")
    }
    // For the next model, while the program is busy with this one.
    state.withLock { state in
      if state.uses > 1 { start(arguments, &state) }
    }
    return outcome.output
  }

  private static func start(_ arguments: [String], _ state: inout State) {
    if let waiting = state.waiting, waiting.arguments == arguments, waiting.owner == getpid() { return }
    // One that cannot start will fail with its reason where it is needed.
    guard let process = try? RunningProcess(Toolchain.clang, arguments, input: .collected, output: .collected) else {
      return
    }
    state.waiting = Waiting(arguments: arguments, process: process, owner: getpid())
  }
}

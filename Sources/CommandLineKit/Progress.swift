import Glibc
import Synchronization

/// One line on the terminal that says how far a long job is; nothing at all elsewhere.
/// May be updated from any thread.
public final class Progress: Sendable {
  private let label: String
  private let total: Int
  private let isShown: Bool
  private let state = Mutex(State())

  private struct State {
    var done = 0
    var shownAt: UInt64 = 0
  }

  /// Whether a line of progress stands on the terminal.
  private static let isOnScreen = Mutex(false)
  /// More often would only cost time.
  private static let interval: UInt64 = 100_000_000

  public init(_ label: String, total: Int) {
    self.label = label
    self.total = total
    isShown = Terminal.isErrorTerminal
  }

  deinit { finish() }

  /// One more of the total is done.
  public func advance(_ detail: String = "") {
    guard isShown else { return }
    let line: String? = state.withLock { state in
      state.done += 1
      let now = Progress.now
      guard state.done == total || now - state.shownAt >= Progress.interval else { return nil }
      state.shownAt = now
      return text(done: state.done, detail)
    }
    if let line { show(line) }
  }

  public func finish() {
    if isShown { Progress.clear() }
  }

  func text(done: Int, _ detail: String) -> String {
    var line = "\(label) \(done)/\(total)"
    if !detail.isEmpty { line += " \(detail)" }
    return oneLine(line)
  }

  private func show(_ line: String) {
    // A line that wraps could not be taken back.
    let columns = Terminal.columns(of: STDERR_FILENO) ?? 80
    Progress.isOnScreen.withLock { isOnScreen in
      StandardError.raw("\r\u{1b}[K" + line.prefix(columns - 1))
      isOnScreen = true
    }
  }

  /// Takes the line away, so that something else can be written.
  static func clear() {
    isOnScreen.withLock { isOnScreen in
      if isOnScreen { StandardError.raw("\r\u{1b}[K") }
      isOnScreen = false
    }
  }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

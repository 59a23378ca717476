import Glibc
import Support
import Synchronization

/// Work on a thread of its own, waited for later.
final class BackgroundTask<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, Diagnostic>?>(nil)
  private let thread: Mutex<pthread_t?> = Mutex(nil)
  private let body: @Sendable () throws(Diagnostic) -> Value

  init(_ body: @escaping @Sendable () throws(Diagnostic) -> Value) {
    self.body = body
    var started = pthread_t()
    // C takes no function of a generic type, but a closure in a box.
    let context = Unmanaged.passRetained(Entry { self.run() }).toOpaque()
    let failed = pthread_create(
      &started, nil,
      { context in
        Unmanaged<Entry>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, context)
    if failed == 0 {
      thread.withLock { $0 = started }
    } else {
      Unmanaged<Entry>.fromOpaque(context).release()
      run()
    }
  }

  private func run() {
    let result = Result { () throws(Diagnostic) in try body() }
    outcome.withLock { $0 = result }
  }

  func wait() throws(Diagnostic) -> Value {
    if let thread = thread.withLock({ thread in
      defer { thread = nil }
      return thread
    }) {
      pthread_join(thread, nil)
    }
    guard let result = outcome.withLock({ $0 }) else { throw .bug("a thread left no result") }
    return try result.get()
  }
}

/// What a thread starts with.
private final class Entry: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

import Glibc
import Support
import Synchronization

/// Work on a thread of its own, waited for later.
final class BackgroundTask: Sendable {
  private let outcome = Mutex<Result<Void, Diagnostic>?>(nil)
  private let thread: Mutex<pthread_t?> = Mutex(nil)
  private let body: @Sendable () throws(Diagnostic) -> Void

  init(_ body: @escaping @Sendable () throws(Diagnostic) -> Void) {
    self.body = body
    var started = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let failed = pthread_create(
      &started, nil,
      { context in
        let task = Unmanaged<BackgroundTask>.fromOpaque(context!).takeRetainedValue()
        task.run()
        return nil
      }, context)
    if failed == 0 {
      thread.withLock { $0 = started }
    } else {
      Unmanaged<BackgroundTask>.fromOpaque(context).release()
      run()
    }
  }

  private func run() {
    let result = Result { () throws(Diagnostic) in try body() }
    outcome.withLock { $0 = result }
  }

  func wait() throws(Diagnostic) {
    if let thread = thread.withLock({ thread in
      defer { thread = nil }
      return thread
    }) {
      pthread_join(thread, nil)
    }
    if let result = outcome.withLock({ $0 }) { try result.get() }
  }
}

import Glibc

/// Plain threads with a stack that LLVM's recursion over large functions fits in.
enum WorkerThreads {
  private static let stackBytes = 64 << 20

  /// Runs `body` on `count` new threads and waits for all; the caller's own stack may be small.
  static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    guard count > 0 else { return }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    var threads: [pthread_t] = []
    for _ in 0..<count {
      let box = Unmanaged.passRetained(Box(body))
      var thread = pthread_t()
      let status = pthread_create(
        &thread, &attributes,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, box.toOpaque())
      // Fewer threads than wanted is slower, not wrong: whoever runs drains the queue.
      if status == 0 { threads.append(thread) } else { box.release() }
    }
    if threads.isEmpty { body() }
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

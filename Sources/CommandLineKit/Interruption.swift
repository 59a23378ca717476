import Glibc
import Support
import Synchronization

/// Ctrl-C and its kin: temporary files are deleted, then the program ends with the
/// status that shells expect, 128 and the signal's number.
public enum Interruption {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]
  /// Where the handler tells the cleaning thread which signal came.
  private static let pipe = Atomic<Int32>(-1)

  /// Starts to listen. A second call does nothing.
  public static func install() {
    var ends: [Int32] = [-1, -1]
    guard pipe.load(ordering: .acquiring) < 0, Glibc.pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    pipe.store(ends[1], ordering: .releasing)
    guard startCleaner(readingFrom: ends[0]) else { return }
    for signal in signals {
      var action = sigaction()
      // Whoever started us with a signal ignored (nohup) meant it.
      if sigaction(signal, nil, &action) == 0, isIgnored(action) { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        // Only what is safe inside a signal: the work is the cleaner's.
        let code = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = Glibc.write(Interruption.pipe.load(ordering: .relaxed), &byte, 1)
        errno = code
      }
      action.sa_flags = Int32(SA_RESTART)
      _ = sigaction(signal, &action, nil)
    }
    // A parent that starts us from a thread with signals blocked hands that on.
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  private static func startCleaner(readingFrom descriptor: Int32) -> Bool {
    var thread = pthread_t()
    let argument = UnsafeMutableRawPointer(bitPattern: Int(descriptor) + 1)
    let started = pthread_create(
      &thread, nil,
      { argument in
        Interruption.clean(whenToldBy: Int32(Int(bitPattern: argument) - 1))
        return nil
      }, argument)
    if started == 0 { pthread_detach(thread) }
    return started == 0
  }

  private static func clean(whenToldBy descriptor: Int32) {
    var byte: UInt8 = 0
    while true {
      let count = read(descriptor, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      break
    }
    Progress.clear()
    Subprocess.stopAll()
    let signal = Int32(byte)
    TemporaryFiles.deleteAll { _exit(128 + signal) }
  }
}

import Glibc

/// What runs right now, told when compiled code crashes this process.
enum CrashNote {
  nonisolated(unsafe) private static let text = UnsafeMutablePointer<CChar>.allocate(capacity: 256)
  private static let installed: Void = {
    for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE] {
      signal(number) { number in
        if text[0] != 0 {
          write(2, "crashed in compiled code: ", 26)
          write(2, text, strlen(text))
          write(2, "\n", 1)
        }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }()

  static func set(_ note: String) {
    _ = installed
    strncpy(text, note, 255)
  }
}

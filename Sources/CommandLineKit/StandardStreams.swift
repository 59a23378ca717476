import Glibc
import Support
import Synchronization

/// Where results go.
public enum StandardOutput {
  /// The first error of a write, which ends the program with a message and not in silence.
  private static let failure = Atomic<Int32>(0)

  public static func write(_ text: String) {
    let code = writeAll(text, to: STDOUT_FILENO)
    if code != 0 { _ = failure.compareExchange(expected: 0, desired: code, ordering: .relaxed) }
  }

  public static func line(_ text: String) { write(text + "\n") }

  /// One JSON value, on several lines.
  public static func json(_ value: JSON) { line(value.pretty) }

  static func check() throws(Diagnostic) {
    let code = failure.load(ordering: .relaxed)
    if code != 0 { throw .invalid("standard output cannot be written: \(systemErrorText(code))") }
  }
}

/// Where errors, warnings and progress go.
public enum StandardError {
  /// A whole line, in place of whatever progress shows.
  public static func line(_ text: String) {
    Progress.clear()
    // There is nobody left to tell when this fails.
    _ = writeAll(text + "\n", to: STDERR_FILENO)
  }

  static func raw(_ text: String) { _ = writeAll(text, to: STDERR_FILENO) }
}

/// Writes every byte; returns 0 or the error.
private func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
  var text = text
  return text.withUTF8 { bytes in
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let written = write(descriptor, base + done, bytes.count - done)
      if written < 0, errno == EINTR { continue }
      if written <= 0 { return errno == 0 ? EIO : errno }
      done += written
    }
    return 0
  }
}

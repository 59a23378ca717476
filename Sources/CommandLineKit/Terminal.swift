import Glibc

/// What is known about the terminal, if there is one.
public enum Terminal {
  public static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  public static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Columns of the terminal that results go to; 100 where they go to a file or a program.
  public static var width: Int { columns(of: STDOUT_FILENO) ?? 100 }

  static func columns(of descriptor: Int32) -> Int? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return max(40, Int(size.ws_col))
  }

  /// Colour is for people: only on a terminal, and not for those who set NO_COLOR.
  public static var usesColor: Bool {
    if let wish = environment("NO_COLOR"), !wish.isEmpty { return false }
    return isOutputTerminal && environment("TERM") != "dumb"
  }

  public enum Style: String, Sendable {
    case bold = "1"
  }

  /// `text`, styled where that shows.
  public static func styled(_ text: String, _ style: Style) -> String {
    usesColor ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

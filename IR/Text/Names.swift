// How names and strings are written in `.mir`.

/// Names and strings as `.mir` writes them.
public enum MIRName {
  /// A letter or underscore, then letters, digits, underscores, dots and dollars: what needs no quotes.
  static func isWord(_ name: String) -> Bool {
    guard let first = name.utf8.first, isWordStart(first) else { return false }
    return name.utf8.allSatisfy(isWordPart)
  }

  static func isWordStart(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (65...90).contains(byte) || byte == 95
  }
  static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  static func isWordPart(_ byte: UInt8) -> Bool { isWordStart(byte) || isDigit(byte) || byte == 46 || byte == 36 }

  /// The name after a sigil (`@`, `%`, `!`): bare when it is a word, quoted otherwise.
  public static func sigiled(_ name: String) -> String { isWord(name) ? name : quoted(name) }

  /// The name of a symbol: bare when it is a word, otherwise in single quotes.
  ///
  /// A dot would run into the `...` of a range, so that symbols with dots are quoted too.
  public static func symbol(_ name: String) -> String {
    isWord(name) && !name.utf8.contains(46) ? name : quoted(name, mark: 39)
  }

  public static func quoted(_ text: String) -> String { quoted(text, mark: 34) }
  private static func quoted(_ text: String, mark: UInt8) -> String { quoted(bytes: Array(text.utf8), mark: mark) }

  /// Any bytes between `mark`s. What is no UTF-8, and control characters, become `\xNN`.
  static func quoted(bytes: [UInt8], mark: UInt8 = 34) -> String {
    var result: [UInt8] = [mark]
    let plain = String(validating: bytes, as: UTF8.self) != nil
    for byte in bytes {
      switch byte {
      case mark, 92: result += [92, byte]
      case 10: result += [92, 110]
      case 9: result += [92, 116]
      case 13: result += [92, 114]
      case 0..<32, 127: result += escape(byte)
      case 128...: result += plain ? [byte] : escape(byte)
      default: result.append(byte)
      }
    }
    result.append(mark)
    return String(decoding: result, as: UTF8.self)
  }

  private static func escape(_ byte: UInt8) -> [UInt8] { [92, 120, hexDigit(byte >> 4), hexDigit(byte & 15)] }
  static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}

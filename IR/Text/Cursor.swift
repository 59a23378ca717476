import Support

/// A token of `.mir`: what it is and where it stands.
public struct Token: Sendable {
  public enum Kind: Equatable, Sendable {
    case word, number
    /// `"text"`
    case string
    /// `'name'`, a symbol whose name is no word.
    case symbol
    /// `%name`, `@name`, `!name`
    case value, reference, parameters
    case mark(Mark)
    case end
  }
  public enum Mark: String, Sendable {
    case openBrace = "{"
    case closeBrace = "}"
    case openParenthesis = "("
    case closeParenthesis = ")"
    case openBracket = "["
    case closeBracket = "]"
    case less = "<"
    case greater = ">"
    case comma = ","
    case colon = ":"
    case equals = "="
    case plus = "+"
    case minus = "-"
    case star = "*"
    case arrow = "->"
    case equal = "=="
    case dots = "..."
  }
  public internal(set) var kind: Kind
  public internal(set) var start: Int
  public internal(set) var end: Int
}

/// Walks the tokens of a text, one at a time, without ever building a list of them.
public struct Cursor: Sendable {
  private let bytes: [UInt8]
  private let file: String
  public private(set) var token = Token(kind: .end, start: 0, end: 0)
  /// Where the token before the current one ended.
  private(set) var previousEnd = 0

  public init(_ bytes: [UInt8], file: String) throws(Diagnostic) {
    self.bytes = bytes
    self.file = file
    try seek(0)
  }

  public var text: String { String(decoding: bytes[token.start..<token.end], as: UTF8.self) }

  /// What the reader of an error sees: the token in quotes, shortened.
  public var shown: String {
    if token.kind == .end { return "the end of the text" }
    if token.end - token.start <= 40 { return "'\(text)'" }
    return "'" + String(decoding: bytes[token.start..<token.start + 37], as: UTF8.self) + "...'"
  }

  // MARK: Errors

  public func location(_ offset: Int) -> Location {
    var line = 1
    var lineStart = 0
    for position in 0..<min(offset, bytes.count) where bytes[position] == 10 {
      line += 1
      lineStart = position + 1
    }
    return Location(file: file, line: line, column: offset - lineStart + 1)
  }

  public func error(_ message: String, at offset: Int? = nil, hint: String? = nil) -> Diagnostic {
    .invalid(message, at: location(offset ?? token.start), hint: hint)
  }

  // MARK: Moving

  mutating func seek(_ offset: Int) throws(Diagnostic) {
    token = Token(kind: .end, start: offset, end: offset)
    try advance()
  }

  public mutating func advance() throws(Diagnostic) {
    previousEnd = token.end
    var position = token.end
    while position < bytes.count {
      let byte = bytes[position]
      if byte == 32 || (9...13).contains(byte) {
        position += 1
      } else if byte == 47, position + 1 < bytes.count, bytes[position + 1] == 47 {
        while position < bytes.count, bytes[position] != 10 { position += 1 }
      } else {
        break
      }
    }
    guard position < bytes.count else {
      token = Token(kind: .end, start: bytes.count, end: bytes.count)
      return
    }
    token = try scan(position)
  }

  /// Skips the mark if it is next.
  public mutating func take(_ mark: Token.Mark) throws(Diagnostic) -> Bool {
    guard token.kind == .mark(mark) else { return false }
    try advance()
    return true
  }

  public mutating func take(word: String) throws(Diagnostic) -> Bool {
    guard isWord(word) else { return false }
    try advance()
    return true
  }

  public func isWord(_ word: String) -> Bool {
    token.kind == .word && bytes[token.start..<token.end].elementsEqual(word.utf8)
  }

  public mutating func expect(_ mark: Token.Mark, _ place: @autoclosure () -> String) throws(Diagnostic) {
    guard try take(mark) else { throw error("expected '\(mark.rawValue)' \(place()), found \(shown)") }
  }

  public mutating func word(_ what: @autoclosure () -> String) throws(Diagnostic) -> String {
    guard token.kind == .word else { throw error("expected \(what()), found \(shown)") }
    let result = text
    try advance()
    return result
  }

  /// The name after a sigil; `isNumber` tells `%0` from `%"0"`.
  public mutating func name(_ kind: Token.Kind, _ what: @autoclosure () -> String) throws(Diagnostic) -> (
    name: String, isNumber: Bool
  ) {
    guard token.kind == kind else { throw error("expected \(what()), found \(shown)") }
    let start = token.start + 1
    let result: (String, Bool)
    if bytes[start] == 34 {
      result = (try unquoted(from: start), false)
    } else {
      result = (String(decoding: bytes[start..<token.end], as: UTF8.self), MIRName.isDigit(bytes[start]))
    }
    try advance()
    return result
  }

  public mutating func string(_ what: @autoclosure () -> String) throws(Diagnostic) -> String {
    guard token.kind == .string else { throw error("expected \(what()) in double quotes, found \(shown)") }
    let result = try unquoted(from: token.start)
    try advance()
    return result
  }

  mutating func stringBytes() throws(Diagnostic) -> [UInt8] {
    guard token.kind == .string else { throw error("expected a string in double quotes, found \(shown)") }
    let result = try unescaped(from: token.start)
    try advance()
    return result
  }

  public mutating func quotedSymbol() throws(Diagnostic) -> String {
    let result = try unquoted(from: token.start)
    try advance()
    return result
  }

  // MARK: Scanning

  private func scan(_ start: Int) throws(Diagnostic) -> Token {
    let byte = bytes[start]
    switch byte {
    case 34: return try scanQuoted(start, start, .string)
    case 39: return try scanQuoted(start, start, .symbol)
    case 37: return try scanName(start, .value)
    case 64: return try scanName(start, .reference)
    case 33: return try scanName(start, .parameters)
    default: break
    }
    if MIRName.isDigit(byte) { return scanNumber(start) }
    if MIRName.isWordStart(byte) { return Token(kind: .word, start: start, end: wordEnd(start)) }
    return try scanMark(start)
  }

  private func wordEnd(_ start: Int) -> Int {
    var end = start
    while end < bytes.count, MIRName.isWordPart(bytes[end]), !isDots(end) { end += 1 }
    return end
  }

  private func isDots(_ position: Int) -> Bool {
    position + 2 < bytes.count && bytes[position] == 46 && bytes[position + 1] == 46 && bytes[position + 2] == 46
  }

  private func scanName(_ start: Int, _ kind: Token.Kind) throws(Diagnostic) -> Token {
    if start + 1 < bytes.count, bytes[start + 1] == 34 { return try scanQuoted(start, start + 1, kind) }
    let end = wordEnd(start + 1)
    guard end > start + 1 else {
      throw error("a name is missing after '\(Character(UnicodeScalar(bytes[start])))'", at: start)
    }
    return Token(kind: kind, start: start, end: end)
  }

  private func scanQuoted(_ start: Int, _ quote: Int, _ kind: Token.Kind) throws(Diagnostic) -> Token {
    let mark = bytes[quote]
    var position = quote + 1
    while position < bytes.count, bytes[position] != 10 {
      if bytes[position] == mark { return Token(kind: kind, start: start, end: position + 1) }
      position += bytes[position] == 92 ? 2 : 1
    }
    throw error("a quote is not closed on its line", at: quote)
  }

  /// Digits, an optional fraction and exponent, or `0x` and hexadecimal digits.
  private func scanNumber(_ start: Int) -> Token {
    var end = start
    func byte(_ position: Int) -> UInt8 { position < bytes.count ? bytes[position] : 0 }
    func skipDigits() { while MIRName.isDigit(byte(end)) { end += 1 } }
    if byte(start) == 48, byte(start + 1) == 120 {
      end += 2
      while MIRName.isDigit(byte(end)) || (97...102).contains(byte(end)) { end += 1 }
      return Token(kind: .number, start: start, end: end)
    }
    skipDigits()
    if byte(end) == 46, MIRName.isDigit(byte(end + 1)) {
      end += 1
      skipDigits()
    }
    if byte(end) == 101 || byte(end) == 69 {
      let sign = byte(end + 1) == 43 || byte(end + 1) == 45 ? 1 : 0
      if MIRName.isDigit(byte(end + 1 + sign)) {
        end += 1 + sign
        skipDigits()
      }
    }
    return Token(kind: .number, start: start, end: end)
  }

  private func scanMark(_ start: Int) throws(Diagnostic) -> Token {
    for length in [3, 2, 1] where start + length <= bytes.count {
      let text = String(decoding: bytes[start..<start + length], as: UTF8.self)
      if let mark = Token.Mark(rawValue: text) { return Token(kind: .mark(mark), start: start, end: start + length) }
    }
    let byte = bytes[start]
    let shown = (33...126).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
    throw error("unexpected \(shown)", at: start)
  }

  // MARK: Escapes

  private func unquoted(from quote: Int) throws(Diagnostic) -> String {
    guard let text = String(validating: try unescaped(from: quote), as: UTF8.self) else {
      throw error("the quoted text is not UTF-8", at: quote)
    }
    return text
  }

  /// The bytes between the quotes of the current token; `scanQuoted` has found both.
  private func unescaped(from quote: Int) throws(Diagnostic) -> [UInt8] {
    var result: [UInt8] = []
    var position = quote + 1
    while position < token.end - 1 {
      guard bytes[position] == 92 else {
        result.append(bytes[position])
        position += 1
        continue
      }
      let escape = bytes[position + 1]
      position += 2
      switch escape {
      case 34, 39, 92: result.append(escape)
      case 110: result.append(10)
      case 116: result.append(9)
      case 114: result.append(13)
      case 120:
        guard position + 1 < token.end - 1, let high = Cursor.hexValue(bytes[position]),
          let low = Cursor.hexValue(bytes[position + 1])
        else { throw error("\\x takes two hexadecimal digits", at: position - 2) }
        result.append(high << 4 | low)
        position += 2
      default: throw error("an escape is one of \\n \\t \\r \\\\ \\\" \\' \\xNN", at: position - 2)
      }
    }
    return result
  }

  static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 97...102: byte - 87
    case 65...70: byte - 55
    default: nil
    }
  }
}

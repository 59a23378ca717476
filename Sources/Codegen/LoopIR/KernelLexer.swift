import Support

/// The words of printed kernels, with the line that each stands on.
struct KernelLexer {
  enum Token: Hashable {
    /// A name, a keyword or a mnemonic.
    case word(String)
    /// `%12`.
    case value(Int)
    /// `@name`.
    case symbol(String)
    /// Digits with sign, point and exponent as they stand.
    case number(String)
    case mark(String)
    case end
  }

  private let bytes: [UInt8]
  private let file: String?
  private var place: Int
  private var line: Int
  private(set) var tokenLine = 1
  /// The offset of the token's first byte.
  private(set) var tokenStart = 0

  /// Starts at byte `place`, which stands on line `line`.
  init(_ bytes: [UInt8], from place: Int = 0, line: Int = 1, file: String?) {
    self.bytes = bytes
    self.place = place
    self.line = line
    self.file = file
  }

  func error(_ message: String, line: Int? = nil) -> Diagnostic {
    .invalid(message, at: Location(file: file, line: line ?? tokenLine))
  }

  mutating func next() throws(Diagnostic) -> Token {
    skipBlanks()
    tokenLine = line
    tokenStart = place
    guard place < bytes.count else { return .end }
    let first = bytes[place]
    switch first {
    case UInt8(ascii: "%"):
      place += 1
      let digits = take { KernelLexer.isDigit($0) }
      guard let number = Int(digits), number < 1 << 31 else { throw error("% wants a number") }
      return .value(number)
    case UInt8(ascii: "@"):
      place += 1
      let name = take { KernelLexer.isNamePart($0) }
      if name.isEmpty { throw error("@ wants a name") }
      return .symbol(name)
    case _ where KernelLexer.isDigit(first) || startsNumber(): return .number(takeNumber())
    case _ where KernelLexer.isNameStart(first): return .word(take { KernelLexer.isNamePart($0) })
    case UInt8(ascii: ".") where has("..<"):
      place += 3
      return .mark("..<")
    case _ where "()[]{},:=+-*".utf8.contains(first):
      place += 1
      return .mark(String(UnicodeScalar(first)))
    default: throw error("unexpected byte \(first)")
    }
  }

  private mutating func skipBlanks() {
    while place < bytes.count {
      if has("//") {
        while place < bytes.count && bytes[place] != UInt8(ascii: "\n") { place += 1 }
      } else if bytes[place] == UInt8(ascii: "\n") {
        line += 1
        place += 1
      } else if bytes[place] == UInt8(ascii: " ") || bytes[place] == UInt8(ascii: "\t") {
        place += 1
      } else {
        return
      }
    }
  }

  private func has(_ text: String) -> Bool { bytes[place...].starts(with: text.utf8) }

  /// A sign belongs to a number that follows it at once; `%1 - 16` has blanks there.
  private func startsNumber() -> Bool {
    guard bytes[place] == UInt8(ascii: "-"), place + 1 < bytes.count else { return false }
    return KernelLexer.isDigit(bytes[place + 1]) || bytes[(place + 1)...].starts(with: "inf".utf8)
  }

  private mutating func takeNumber() -> String {
    let start = place
    if bytes[place] == UInt8(ascii: "-") { place += 1 }
    if has("inf") {
      place += 3
    } else {
      while place < bytes.count {
        let byte = bytes[place]
        let isExponentSign =
          (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")) && bytes[place - 1] | 0x20 == UInt8(ascii: "e")
        // A range directly behind a number is no part of it.
        if byte == UInt8(ascii: ".") && has("..<") { break }
        guard KernelLexer.isNamePart(byte) || isExponentSign else { break }
        place += 1
      }
    }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  private mutating func take(_ belongs: (UInt8) -> Bool) -> String {
    let start = place
    while place < bytes.count && belongs(bytes[place]) { place += 1 }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
  private static func isNameStart(_ byte: UInt8) -> Bool {
    let lower = byte | 0x20
    return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
  }
  private static func isNamePart(_ byte: UInt8) -> Bool {
    isNameStart(byte) || isDigit(byte) || byte == UInt8(ascii: ".")
  }

  /// What may name a kernel, a buffer or a scalar.
  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first else { return false }
    return isNameStart(first) && text.utf8.allSatisfy { isNamePart($0) } && text.utf8.count <= 512
  }
}

extension JSON {
  /// Reads one value; anything behind it but space is an error.
  public static func parse(_ text: String, file: String? = nil) throws(Diagnostic) -> JSON {
    try parse(Array(text.utf8), file: file)
  }

  public static func parse(_ bytes: [UInt8], file: String? = nil) throws(Diagnostic) -> JSON {
    var parser = JSONParser(bytes, file: file)
    return try parser.document()
  }
}

/// Reads JSON text exactly as RFC 8259 has it.
private struct JSONParser {
  /// Deeper nesting is refused, so that no text can exhaust the stack.
  private static let depthLimit = 128

  private let bytes: [UInt8]
  private let file: String?
  private var position = 0
  private var depth = 0

  init(_ bytes: [UInt8], file: String?) {
    self.bytes = bytes
    self.file = file
  }

  mutating func document() throws(Diagnostic) -> JSON {
    let result = try value()
    skipSpace()
    guard position == bytes.count else { throw failure("something follows the value") }
    return result
  }

  private func failure(_ message: String, at offset: Int? = nil) -> Diagnostic {
    let end = min(offset ?? position, bytes.count)
    var line = 1
    var start = 0
    for index in 0..<end where bytes[index] == UInt8(ascii: "\n") {
      line += 1
      start = index + 1
    }
    return .invalid(message, at: Location(file: file, line: line, column: end - start + 1))
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func expect(_ byte: UInt8) throws(Diagnostic) {
    skipSpace()
    guard next == byte else { throw failure("'\(Character(Unicode.Scalar(byte)))' expected") }
    position += 1
  }

  /// Moves over `byte` if it is the next one.
  private mutating func skip(_ byte: UInt8) -> Bool {
    skipSpace()
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(Diagnostic) -> JSON {
    skipSpace()
    guard let byte = next else { throw failure("a value is missing at the end") }
    switch byte {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw failure("a value expected")
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(Diagnostic) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("a value expected") }
    position += word.utf8.count
    return value
  }

  private mutating func enter() throws(Diagnostic) {
    depth += 1
    guard depth <= JSONParser.depthLimit else {
      throw failure("values are nested more than \(JSONParser.depthLimit) deep")
    }
    position += 1
  }

  private mutating func object() throws(Diagnostic) -> JSON {
    try enter()
    defer { depth -= 1 }
    var members: [JSON.Member] = []
    var keys: Set<String> = []
    if skip(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipSpace()
      let start = position
      guard next == UInt8(ascii: "\"") else { throw failure("a key in quotes expected") }
      let key = try string()
      guard keys.insert(key).inserted else { throw failure("key \"\(key)\" comes twice", at: start) }
      try expect(UInt8(ascii: ":"))
      members.append(JSON.Member(key, try value()))
    } while skip(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
    return .object(members)
  }

  private mutating func array() throws(Diagnostic) -> JSON {
    try enter()
    defer { depth -= 1 }
    var values: [JSON] = []
    if skip(UInt8(ascii: "]")) { return .array(values) }
    repeat { values.append(try value()) } while skip(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return .array(values)
  }

  private mutating func number() throws(Diagnostic) -> JSON {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let whole = digits()
    guard whole > 0 else { throw failure("a digit expected") }
    let first = bytes[position - whole]
    guard whole == 1 || first != UInt8(ascii: "0") else { throw failure("a number starts with 0", at: start) }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      guard digits() > 0 else { throw failure("a digit expected") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { position += 1 }
      guard digits() > 0 else { throw failure("a digit expected") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else {
      throw failure("the number is out of range", at: start)
    }
    return .number(value)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return position - start
  }

  private mutating func string() throws(Diagnostic) -> String {
    position += 1
    var content: [UInt8] = []
    while true {
      let start = position
      while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
      content.append(contentsOf: bytes[start..<position])
      guard let byte = next else { throw failure("the text does not end") }
      guard byte >= 0x20 else { throw failure("a control character inside a text") }
      position += 1
      if byte == UInt8(ascii: "\"") { break }
      content.append(contentsOf: try escape())
    }
    guard let text = String(validating: content, as: UTF8.self) else { throw failure("the text is not UTF-8") }
    return text
  }

  private mutating func escape() throws(Diagnostic) -> [UInt8] {
    guard let byte = next else { throw failure("the text does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): break
    default: throw failure("unknown escape", at: position - 2)
    }
    let start = position - 2
    var code = try fourDigits()
    if code >= 0xd800, code < 0xdc00 {
      // The second half of a character beyond the first 65,536.
      guard next == UInt8(ascii: "\\") else { throw failure("half a character", at: start) }
      position += 1
      guard next == UInt8(ascii: "u") else { throw failure("half a character", at: start) }
      position += 1
      let low = try fourDigits()
      guard low >= 0xdc00, low < 0xe000 else { throw failure("half a character", at: start) }
      code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("half a character", at: start) }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func fourDigits() throws(Diagnostic) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits expected")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}

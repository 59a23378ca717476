import Support

/// The text at the start of a .npy file: a Python dictionary of three entries.
struct NumPyHeader {
  var descriptor = ""
  var isFortranOrder = false
  var dims: [Int] = []

  private enum Value {
    case text(String)
    case flag(Bool)
    case numbers([Int])
  }

  /// Reads the header and leaves the cursor at the first element.
  init(_ cursor: inout ByteCursor) throws(Diagnostic) {
    let magic = try cursor.take(6, "magic")
    guard magic.bytes == [0x93] + Array("NUMPY".utf8) else {
      throw .invalid("is no .npy file", at: Location(file: cursor.file))
    }
    let major = try cursor.u8("version")
    _ = try cursor.u8("version")
    guard (1...3).contains(major) else { throw cursor.failure("version \(major) is unknown", "version") }
    let length = major == 1 ? Int(try cursor.u16("header length")) : Int(try cursor.u32("header length"))
    let start = cursor.location("header")
    let text = try cursor.text(length, "header")
    do {
      var scanner = Scanner(text)
      try read(&scanner)
    } catch {
      throw error.located(start)
    }
  }

  private mutating func read(_ scanner: inout Scanner) throws(Diagnostic) {
    var seen: Set<String> = []
    try scanner.expect("{")
    while !scanner.skip("}") {
      let key = try scanner.text()
      guard seen.insert(key).inserted else { throw .invalid("key '\(key)' comes twice") }
      try scanner.expect(":")
      switch (key, try NumPyHeader.value(&scanner)) {
      case ("descr", .text(let value)): descriptor = value
      case ("fortran_order", .flag(let value)): isFortranOrder = value
      case ("shape", .numbers(let value)): dims = value
      default: throw .invalid("the value of '\(key)' is not understood")
      }
      if !scanner.skip(",") {
        try scanner.expect("}")
        break
      }
    }
    for key in ["descr", "fortran_order", "shape"] where !seen.contains(key) {
      throw .invalid("'\(key)' is missing")
    }
  }

  private static func value(_ scanner: inout Scanner) throws(Diagnostic) -> Value {
    switch scanner.next {
    case UInt8(ascii: "T"), UInt8(ascii: "F"): return .flag(try scanner.flag())
    case UInt8(ascii: "("): return .numbers(try scanner.numbers())
    case UInt8(ascii: "["): throw .unsupported("arrays of records cannot be read")
    default: return .text(try scanner.text())
    }
  }

  /// The header as numpy writes it: version 1, padded so that the elements start at a multiple of 64.
  static func encode(descriptor: String, dims: [Int]) throws(Diagnostic) -> [UInt8] {
    let shape = dims.count == 1 ? "(\(dims[0]),)" : "(" + dims.map { "\($0)" }.joined(separator: ", ") + ")"
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }"
    let unpadded = 10 + text.utf8.count + 1
    let total = (unpadded + 63) / 64 * 64
    guard total - 10 <= Int(UInt16.max) else {
      throw .unsupported("an array of \(dims.count) dimensions cannot be written")
    }
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes.append(UInt8(truncatingIfNeeded: total - 10))
    bytes.append(UInt8(truncatingIfNeeded: (total - 10) >> 8))
    bytes += Array(text.utf8) + [UInt8](repeating: 0x20, count: total - unpadded) + [0x0a]
    return bytes
  }
}

/// Reads the few Python literals that a header holds.
private struct Scanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The next byte that is no space, or nil at the end.
  var next: UInt8? {
    mutating get {
      while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x0a { position += 1 }
      return position < bytes.count ? bytes[position] : nil
    }
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(Diagnostic) {
    guard skip(character) else { throw .invalid("'\(character)' expected at character \(position)") }
  }

  mutating func text() throws(Diagnostic) -> String {
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw .invalid("a text expected at character \(position)")
    }
    guard let end = bytes[(position + 1)...].firstIndex(of: quote) else { throw .invalid("a text does not end") }
    defer { position = end + 1 }
    return String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
  }

  mutating func flag() throws(Diagnostic) -> Bool {
    for (word, value) in [("True", true), ("False", false)] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw .invalid("True or False expected at character \(position)")
  }

  mutating func numbers() throws(Diagnostic) -> [Int] {
    try expect("(")
    var values: [Int] = []
    while !skip(")") {
      _ = next
      let start = position
      while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
      guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
        throw .invalid("an extent is no number, or too large")
      }
      values.append(value)
      // Python 2 wrote long numbers with an L.
      _ = skip("L")
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return values
  }
}

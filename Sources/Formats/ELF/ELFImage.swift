import Support

/// What an ELF file says about itself, as far as telling artifacts apart and finding what they export takes.
///
/// Little-endian 64-bit files only, which all of Martlet's hosted targets have.
public struct ELFImage: Sendable {
  public enum Kind: Sendable {
    case object, sharedLibrary, executable
  }

  public let kind: Kind
  /// The e_machine number.
  public let machine: UInt16
  /// Names of the functions and objects that are defined and exported.
  public let exports: [String]

  /// Whether the bytes are an ELF file at all.
  public static func isELF(_ bytes: ByteView) -> Bool { bytes.slice(0, 4)?.bytes == [0x7f, 0x45, 0x4c, 0x46] }

  public static func read(path: String) throws(Diagnostic) -> ELFImage {
    try ELFImage(try MappedFile(path: path).view, file: path)
  }

  public init(_ bytes: ByteView, file: String) throws(Diagnostic) {
    var cursor = ByteCursor(bytes, file: file)
    try cursor.move(to: 4, "header")
    let format = (try cursor.u8("class"), try cursor.u8("byte order"))
    guard format == (2, 1) else { throw cursor.failure("is no 64-bit little-endian ELF file", "header") }
    try cursor.move(to: 16, "header")
    let type = try cursor.u16("type")
    machine = try cursor.u16("machine")
    try cursor.move(to: 32, "header")
    let segments = try cursor.size("program headers")
    let sections = try cursor.size("section headers")
    try cursor.move(to: 54, "header")
    let segmentSize = Int(try cursor.u16("program header size"))
    let segmentCount = Int(try cursor.u16("program header count"))
    let sectionSize = Int(try cursor.u16("section header size"))
    let sectionCount = Int(try cursor.u16("section header count"))

    var hasInterpreter = false
    for number in 0..<segmentCount {
      // Counts and sizes are 16 bits: products cannot overflow.
      try cursor.move(to: segments, "program headers")
      try cursor.skip(number * segmentSize, "program headers")
      if try cursor.u32("segment type") == 3 { hasInterpreter = true }
    }
    switch type {
    case 1: kind = .object
    case 2: kind = .executable
    case 3: kind = hasInterpreter ? .executable : .sharedLibrary
    default: throw cursor.failure("is an ELF file of unknown type \(type)", "header")
    }
    exports = try ELFImage.exports(&cursor, bytes, sections, sectionSize, sectionCount)
  }

  private static func exports(
    _ cursor: inout ByteCursor, _ bytes: ByteView, _ sections: Int, _ sectionSize: Int, _ count: Int
  ) throws(Diagnostic) -> [String] {
    var names: [String] = []
    for number in 0..<count {
      try cursor.move(to: sections, "section headers")
      try cursor.skip(number * sectionSize + 4, "section headers")
      guard try cursor.u32("section type") == 11 else { continue }
      let symbols = try table(&cursor, sections, sectionSize, number)
      try cursor.move(to: sections, "section headers")
      try cursor.skip(number * sectionSize + 40, "section headers")
      let link = Int(try cursor.u32("string table"))
      guard link < count else { throw cursor.failure("there is no section \(link)", "string table") }
      let texts = try table(&cursor, sections, sectionSize, link)
      guard let strings = bytes.slice(texts.offset, texts.size) else {
        throw cursor.failure("leaves the file", "string table")
      }
      try cursor.move(to: symbols.offset, "symbols")
      for _ in 0..<(symbols.size / 24) {
        let name = Int(try cursor.u32("symbol"))
        let info = try cursor.u8("symbol")
        try cursor.skip(1, "symbol")
        let section = try cursor.u16("symbol")
        try cursor.skip(16, "symbol")
        // Global or weak, and defined here.
        guard info >> 4 == 1 || info >> 4 == 2, section != 0, name < strings.count else { continue }
        let text = strings.withBytes { raw in Array(raw[name...].prefix { $0 != 0 }) }
        names.append(String(decoding: text, as: UTF8.self))
      }
    }
    return names
  }

  private static func table(_ cursor: inout ByteCursor, _ sections: Int, _ size: Int, _ number: Int)
    throws(Diagnostic) -> (offset: Int, size: Int)
  {
    try cursor.move(to: sections, "section headers")
    try cursor.skip(number * size + 24, "section headers")
    return (try cursor.size("section offset"), try cursor.size("section size"))
  }
}

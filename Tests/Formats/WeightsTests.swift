import Formats
import Support
import TestSupport
import Testing

@Suite struct WeightsTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func items() throws -> (items: [WeightsFile.Item], size: Int) {
    let (offsets, size) = try WeightsFile.offsets(for: [5, 5000, 0])
    let first = ByteView(copying: [1, 2, 3, 4, 5])
    let stream = WeightsPiece(offset: offsets[1], size: 5000) { (sink) throws(Diagnostic) in
      for byte in 0..<50 {
        let bytes = [UInt8](repeating: UInt8(byte), count: 100)
        try bytes.withUnsafeBufferPointer { (raw) throws(Diagnostic) in try sink(UnsafeRawBufferPointer(raw)) }
      }
    }
    let items = [
      WeightsFile.Item("large", type: "i8[50, 100]", layout: "rows16", stream),
      WeightsFile.Item("ünï", type: "u8[5]", WeightsPiece(offset: offsets[0], first)),
      WeightsFile.Item("empty", type: "f32[0]", WeightsPiece(offset: offsets[2], .empty)),
    ]
    return (items, size)
  }

  @Test func weightsFileReadsBack() throws {
    let path = folder["m.weights"]
    let (items, size) = try items()
    let hash = try WeightsFile.write(items, imageSize: size, to: path)
    let file = try WeightsFile.read(path: path)
    #expect(file.hash == hash)
    #expect(file.entries.map(\.name) == ["ünï", "large", "empty"])
    for entry in file.entries {
      try file.verify(entry)
      #expect(entry.offset % WeightsFile.alignment == 0)
      #expect(UInt(bitPattern: try file.data(entry).base) % 4096 == 0)
    }
    let large = try #require(file.entry("large"))
    #expect(large.layout == "rows16" && large.type == "i8[50, 100]")
    #expect(try file.data(large)[4999] == 49)
  }

  @Test func changedWeightsAreNoticed() throws {
    let path = folder["m.weights"]
    let (items, size) = try items()
    try WeightsFile.write(items, imageSize: size, to: path)
    let bytes = try MappedFile(path: path).view.bytes
    for length in Array(0..<512) + [4096, 8192, bytes.count - 1] {
      let cut = ByteView(copying: Array(bytes[..<length]))
      #expect(throws: Diagnostic.self) { try WeightsFile.decode(cut, name: "cut") }
    }
    // Behind the directory: padding, or an entry that must fail its own check.
    for place in 0..<200 {
      var changed = bytes
      changed[place] ^= 0x41
      #expect(throws: Diagnostic.self, "byte \(place)") {
        try WeightsFile.decode(ByteView(copying: changed), name: "changed")
      }
    }
    var changed = bytes
    // The image starts at 4096, "large" 4096 behind.
    changed[8192 + 4999] ^= 1
    let file = try WeightsFile.decode(ByteView(copying: changed), name: "changed")
    #expect(throws: Diagnostic.self) { try file.verify(try #require(file.entry("large"))) }
  }

  @Test func overlappingAndLyingPiecesAreRefused() throws {
    let view = ByteView(copying: [1, 2, 3, 4])
    #expect(throws: Diagnostic.self) {
      try WeightsImage(size: 6, pieces: [.init(offset: 0, view), .init(offset: 2, view)])
    }
    #expect(throws: Diagnostic.self) { try WeightsImage(size: 6, pieces: [.init(offset: 3, view)]) }
    #expect(throws: Diagnostic.self) { try WeightsImage(size: 6, pieces: [.init(offset: -1, view)]) }
    let liar = WeightsPiece(offset: 0, size: 6) { (sink) throws(Diagnostic) in
      try view.withBytes { (raw) throws(Diagnostic) in try sink(raw) }
    }
    let image = try WeightsImage(size: 6, pieces: [liar])
    let path = folder["w.o"]
    #expect(throws: Diagnostic.self) { try WeightsObject.write(image, prefix: "m", machine: .x86_64, to: path) }
    #expect(throws: Diagnostic.self) { try MappedFile(path: path) }
  }

  @Test(arguments: [ELFMachine.x86_64, .aarch64, .riscv64]) func objectHoldsWeightsAndPointer(_ machine: ELFMachine)
    throws
  {
    let path = folder["w.o"]
    let weights = ByteView(copying: (0..<9000).map { UInt8(truncatingIfNeeded: $0) })
    let image = try WeightsImage(size: 10_000, pieces: [.init(offset: 1000, weights)])
    try WeightsObject.write(image, prefix: "net", machine: machine, to: path)
    let object = try ELFReader(try MappedFile(path: path).view)
    #expect(object.machine == machine.number)
    let name = machine.hasLargeSections ? ".lrodata" : ".rodata"
    let section = try #require(object.sections[name])
    #expect(section.alignment == 4096 && section.offset % 4096 == 0)
    #expect(section.flags == (machine.hasLargeSections ? 0x1000_0002 : 2))
    let zeros = [UInt8](repeating: 0, count: 1000)
    #expect(try MappedFile(path: path).view.slice(section.offset, section.size)?.bytes == zeros + weights.bytes)
    #expect(object.symbols.map(\.name) == ["", "net_weights", "net_weights_pointer"])
    #expect(object.symbols.dropFirst().allSatisfy { $0.isHiddenGlobal })
    #expect(object.relocation == UInt64(machine.absolute64) | 1 << 32)
  }
}

/// Just enough of the format to check what was written.
private struct ELFReader {
  struct Section {
    var flags: UInt64
    var offset: Int
    var size: Int
    var alignment: UInt64
  }
  struct Symbol {
    var name: String
    var isHiddenGlobal: Bool
  }

  var machine: UInt16
  var sections: [String: Section] = [:]
  var symbols: [Symbol] = []
  var relocation: UInt64

  init(_ bytes: ByteView) throws {
    var cursor = ByteCursor(bytes)
    try cursor.expect("\u{7f}ELF", "magic")
    try cursor.move(to: 18, "machine")
    machine = try cursor.u16("machine")
    try cursor.move(to: 40, "sections")
    let table = try cursor.size("sections")
    try cursor.move(to: 60, "count")
    let count = Int(try cursor.u16("count"))
    let nameTable = Int(try cursor.u16("names"))
    let names = try ELFReader.row(bytes, table, nameTable).section
    for index in 0..<count {
      let (name, section) = try ELFReader.row(bytes, table, index)
      sections[try ELFReader.text(bytes, names.offset + name)] = section
    }
    let symbolTable = try #require(sections[".symtab"])
    let strings = try #require(sections[".strtab"])
    for index in 0..<(symbolTable.size / 24) {
      try cursor.move(to: symbolTable.offset + index * 24, "symbol")
      let name = Int(try cursor.u32("name"))
      let isHiddenGlobal = try cursor.u8("info") == 0x11 && cursor.u8("other") == 2
      symbols.append(Symbol(name: try ELFReader.text(bytes, strings.offset + name), isHiddenGlobal: isHiddenGlobal))
    }
    try cursor.move(to: try #require(sections[".rela.data.rel.ro"]).offset + 8, "relocation")
    relocation = try cursor.u64("relocation")
  }

  private static func row(_ bytes: ByteView, _ table: Int, _ index: Int) throws -> (name: Int, section: Section) {
    var cursor = ByteCursor(bytes)
    try cursor.move(to: table + index * 64, "section")
    let name = Int(try cursor.u32("name"))
    _ = try cursor.u32("type")
    let flags = try cursor.u64("flags")
    _ = try cursor.u64("address")
    let offset = try cursor.size("offset")
    let size = try cursor.size("size")
    _ = try cursor.u64("link and info")
    return (name, Section(flags: flags, offset: offset, size: size, alignment: try cursor.u64("alignment")))
  }

  private static func text(_ bytes: ByteView, _ offset: Int) throws -> String {
    var end = offset
    while bytes[end] != 0 { end += 1 }
    return try #require(bytes.slice(offset, end - offset)?.text)
  }
}

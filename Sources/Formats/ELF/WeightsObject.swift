import Support

/// A relocatable object that holds nothing but weights.
///
/// The assembler would take several times their size in memory, and code cannot reach data
/// 2 GiB away by name. So the weights are streamed straight to the file, and a pointer of
/// 64 bits beside them is what code loads. Both symbols are hidden:
///
///     .lrodata       <prefix>_weights          4096-aligned; .rodata where sections are never "large"
///     .data.rel.ro   <prefix>_weights_pointer  8 bytes, the address of <prefix>_weights
public enum WeightsObject {
  /// Writes the object to `path`, in bounded memory whatever the weights' size.
  public static func write(
    _ image: WeightsImage, prefix: String, machine: ELFMachine, to path: String
  ) throws(Diagnostic) {
    let file = try AtomicFile(path: path)
    try file.pad(to: alignment)
    try image.write(to: file)
    try file.align(to: 8)

    var tail = Tail(start: UInt64(file.position))
    let weights = Section(
      name: machine.hasLargeSections ? ".lrodata" : ".rodata", type: .bits,
      flags: machine.hasLargeSections ? allocated | large : allocated, offset: UInt64(alignment),
      size: UInt64(image.size), alignment: UInt64(alignment))
    tail.sections.append(weights)
    tail.add(".data.rel.ro", .bits, flags: allocated | writable, alignment: 8) { $0.u64(0) }
    tail.add(".rela.data.rel.ro", .relocations, flags: 0x40, link: 4, info: 2, alignment: 8, entrySize: 24) {
      $0.u64(0)
      // Symbol 1, the weights.
      $0.u64(1 << 32 | UInt64(machine.absolute64))
      $0.u64(0)
    }
    let weightsName = prefix + "_weights"
    let pointerName = prefix + "_weights_pointer"
    // The null symbol is the only local one.
    tail.add(".symtab", .symbols, link: 5, info: 1, alignment: 8, entrySize: 24) {
      $0.zeros(24)
      symbol(&$0, name: 1, section: 1, size: UInt64(image.size))
      symbol(&$0, name: UInt32(weightsName.utf8.count + 2), section: 2, size: 8)
    }
    tail.add(".strtab", .strings) { $0.text("\0" + weightsName + "\0" + pointerName + "\0") }
    // Says that the code this is linked with needs no executable stack.
    tail.add(".note.GNU-stack", .bits) { _ in }
    tail.addSectionNames()

    try file.write(tail.finished())
    try file.overwrite(at: 0, with: header(machine, sectionTable: tail.tableOffset, sections: tail.sections.count))
    try file.commit()
  }

  private static let alignment = 4096
  private static let writable: UInt64 = 1
  private static let allocated: UInt64 = 2
  private static let large: UInt64 = 0x1000_0000

  private static func symbol(_ out: inout LittleEndianBytes, name: UInt32, section: UInt16, size: UInt64) {
    out.u32(name)
    // A global data object, hidden.
    out.u8(0x11)
    out.u8(2)
    out.u16(section)
    out.u64(0)
    out.u64(size)
  }

  private static func header(_ machine: ELFMachine, sectionTable: UInt64, sections: Int) -> [UInt8] {
    var out = LittleEndianBytes()
    // 64 bits, little-endian, version 1, no special system.
    out.append([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
    out.zeros(8)
    // Relocatable.
    out.u16(1)
    out.u16(machine.number)
    out.u32(1)
    out.u64(0)
    out.u64(0)
    out.u64(sectionTable)
    out.u32(machine.flags)
    out.u16(64)
    out.u16(0)
    out.u16(0)
    out.u16(64)
    out.u16(UInt16(sections))
    // The names are the last section.
    out.u16(UInt16(sections - 1))
    return out.bytes
  }
}

private enum SectionType: UInt32 {
  case none = 0
  case bits = 1
  case symbols = 2
  case strings = 3
  case relocations = 4
}

private struct Section {
  var name: String
  var type: SectionType
  var flags: UInt64 = 0
  var offset: UInt64 = 0
  var size: UInt64 = 0
  var link: UInt32 = 0
  var info: UInt32 = 0
  var alignment: UInt64 = 0
  var entrySize: UInt64 = 0
}

/// The small sections behind the weights, and the table of all sections.
private struct Tail {
  private let start: UInt64
  private var bytes = LittleEndianBytes()
  var sections = [Section(name: "", type: .none)]
  private var nameOffsets: [UInt32] = []
  private(set) var tableOffset: UInt64 = 0

  /// `start` is where the tail goes in the file, a multiple of 8.
  init(start: UInt64) { self.start = start }

  mutating func add(
    _ name: String, _ type: SectionType, flags: UInt64 = 0, link: UInt32 = 0, info: UInt32 = 0, alignment: UInt64 = 1,
    entrySize: UInt64 = 0, _ content: (inout LittleEndianBytes) -> Void
  ) {
    bytes.align(to: Int(alignment))
    let offset = bytes.count
    content(&bytes)
    sections.append(
      Section(
        name: name, type: type, flags: flags, offset: start + UInt64(offset), size: UInt64(bytes.count - offset),
        link: link, info: info, alignment: alignment, entrySize: entrySize))
  }

  mutating func addSectionNames() {
    var names = LittleEndianBytes()
    for name in sections.map(\.name) + [".shstrtab"] {
      nameOffsets.append(UInt32(names.count))
      names.text(name + "\0")
    }
    let text = names.bytes
    add(".shstrtab", .strings) { $0.append(text) }
    bytes.align(to: 8)
    tableOffset = start + UInt64(bytes.count)
  }

  func finished() -> [UInt8] {
    var out = bytes
    for (section, name) in zip(sections, nameOffsets) {
      out.u32(name)
      out.u32(section.type.rawValue)
      out.u64(section.flags)
      out.u64(0)
      out.u64(section.offset)
      out.u64(section.size)
      out.u32(section.link)
      out.u32(section.info)
      out.u64(section.alignment)
      out.u64(section.entrySize)
    }
    return out.bytes
  }
}

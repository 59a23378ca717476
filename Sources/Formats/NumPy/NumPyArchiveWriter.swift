import Support

extension NumPyArchive {
  /// Writes arrays under their names, not compressed; members beyond 4 GiB are fine.
  public static func write(_ arrays: [(name: String, array: NumPyArray)], to path: String) throws(Diagnostic) {
    let file = try AtomicFile(path: path)
    var directory: [UInt8] = []
    for (name, array) in arrays {
      let (header, body) = try array.parts()
      var checksum = header.withUnsafeBytes { Checksum.extend(0, with: $0) }
      checksum = body.withBytes { Checksum.extend(checksum, with: $0) }
      let memberName = Array((name + ".npy").utf8)
      guard memberName.count <= Int(UInt16.max) else {
        throw .invalid("the name \"\(name)\" is too long for a .npz file")
      }
      let size = UInt64(header.count) + UInt64(body.count)
      let offset = UInt64(file.position)

      // Sizes always stand in the wide field, so that one form serves all.
      var extra = LittleEndianBytes()
      extra.u16(1)
      extra.u16(16)
      extra.u64(size)
      extra.u64(size)
      var local = LittleEndianBytes()
      local.u32(0x0403_4b50)
      local.common(checksum, nameLength: memberName.count)
      local.u16(UInt16(extra.bytes.count))
      try file.write(local.bytes + memberName + extra.bytes)
      try file.write(header)
      try file.write(body)

      var wide = LittleEndianBytes()
      wide.u16(1)
      wide.u16(24)
      wide.u64(size)
      wide.u64(size)
      wide.u64(offset)
      var entry = LittleEndianBytes()
      entry.u32(0x0201_4b50)
      entry.u16(45)
      entry.common(checksum, nameLength: memberName.count)
      entry.u16(UInt16(wide.bytes.count))
      entry.zeros(10)
      entry.u32(0xffff_ffff)
      directory += entry.bytes + memberName + wide.bytes
    }
    let start = UInt64(file.position)
    try file.write(directory)
    try file.write(end(count: UInt64(arrays.count), directoryAt: start, size: UInt64(directory.count)))
    try file.commit()
  }

  private static func end(count: UInt64, directoryAt start: UInt64, size: UInt64) -> [UInt8] {
    var record = LittleEndianBytes()
    record.u32(0x0606_4b50)
    record.u64(44)
    record.u16(45)
    record.u16(45)
    record.zeros(8)
    record.u64(count)
    record.u64(count)
    record.u64(size)
    record.u64(start)
    // The locator of the record above, then the record that every reader looks for.
    record.u32(0x0706_4b50)
    record.u32(0)
    record.u64(start + size)
    record.u32(1)
    record.u32(0x0605_4b50)
    record.zeros(4)
    record.u16(0xffff)
    record.u16(0xffff)
    record.u32(0xffff_ffff)
    record.u32(0xffff_ffff)
    record.u16(0)
    return record.bytes
  }
}

extension LittleEndianBytes {
  /// What the two headers of a member have in common: version, no compression, the first
  /// day that the format can name, checksum, sizes that stand elsewhere, the name's length.
  fileprivate mutating func common(_ checksum: UInt32, nameLength: Int) {
    u16(45)
    // Names are UTF-8.
    u16(0x0800)
    u16(0)
    u16(0)
    u16(0x0021)
    u32(checksum)
    u32(0xffff_ffff)
    u32(0xffff_ffff)
    u16(UInt16(truncatingIfNeeded: nameLength))
  }
}

import Support

extension WeightsFile {
  /// Something to write: what it is called, and its bytes at their place in the image.
  public struct Item {
    public var name: String
    public var type: String
    public var layout: String
    public var piece: WeightsPiece

    public init(_ name: String, type: String, layout: String = "", _ piece: WeightsPiece) {
      self.name = name
      self.type = type
      self.layout = layout
      self.piece = piece
    }
  }

  /// Offsets for runs of these sizes one after the other, each at a multiple of `alignment`,
  /// and the size of the whole.
  public static func offsets(
    for sizes: [Int], alignment: Int = WeightsFile.alignment
  ) throws(Diagnostic) -> (offsets: [Int], size: Int) {
    var offsets: [Int] = []
    var end = 0
    for size in sizes {
      let start = (end + alignment - 1) / alignment * alignment
      let (next, overflow) = start.addingReportingOverflow(size)
      guard size >= 0, !overflow, next < Int.max - alignment else { throw .bug("weights of \(size) bytes") }
      offsets.append(start)
      end = next
    }
    return (offsets, end)
  }

  /// Writes the file in one pass and bounded memory; returns the hash that stands for all of it.
  @discardableResult
  public static func write(_ items: [Item], imageSize: Int, to path: String) throws(Diagnostic) -> UInt64 {
    var names: Set<String> = []
    for item in items where !names.insert(item.name).inserted { throw .bug("two weights are called \"\(item.name)\"") }
    // Checks that nothing overlaps.
    _ = try WeightsImage(size: imageSize, pieces: items.map(\.piece))
    let sorted = items.sorted { $0.piece.offset < $1.piece.offset }

    let directorySize = encode(sorted, hashes: [UInt64](repeating: 0, count: sorted.count)).count
    let imageStart = (headerSize + directorySize + alignment - 1) / alignment * alignment
    let file = try AtomicFile(path: path)
    // The hashes are known at the end only.
    try file.pad(to: imageStart)
    var hashes: [UInt64] = []
    for item in sorted {
      try file.pad(to: imageStart + item.piece.offset)
      var hasher = ContentHasher()
      try item.piece.send { (bytes) throws(Diagnostic) in
        hasher.add(bytes)
        try file.write(bytes)
      }
      hashes.append(hasher.finish().low)
    }
    try file.pad(to: imageStart + imageSize)

    let directory = encode(sorted, hashes: hashes)
    let hash = digest(
      directory: ByteView(copying: directory), count: sorted.count, imageStart: imageStart, imageSize: imageSize)
    var header = LittleEndianBytes()
    header.text(magic)
    header.u32(version)
    header.u32(UInt32(truncatingIfNeeded: sorted.count))
    header.u64(hash)
    header.u64(UInt64(imageStart))
    header.u64(UInt64(imageSize))
    header.u64(UInt64(directory.count))
    try file.overwrite(at: 0, with: header.bytes + directory)
    try file.commit()
    return hash
  }

  private static func encode(_ items: [Item], hashes: [UInt64]) -> [UInt8] {
    var rows = LittleEndianBytes()
    for (item, hash) in zip(items, hashes) {
      for text in [item.name, item.type, item.layout] { rows.u32(UInt32(truncatingIfNeeded: text.utf8.count)) }
      rows.u32(0)
      rows.u64(UInt64(item.piece.offset))
      rows.u64(UInt64(item.piece.size))
      rows.u64(hash)
      for text in [item.name, item.type, item.layout] { rows.text(text) }
      rows.align(to: 8)
    }
    return rows.bytes
  }
}

import Support

extension WeightsFile {
  public static func read(path: String) throws(Diagnostic) -> WeightsFile {
    try decode(try MappedFile(path: path).view, name: path)
  }

  public static func decode(_ bytes: ByteView, name: String) throws(Diagnostic) -> WeightsFile {
    var cursor = ByteCursor(bytes, file: name)
    try cursor.expect(magic, "magic")
    let found = try cursor.u32("version")
    guard found == version else {
      throw .unsupported("version \(found) of the weights file is unknown", at: Location(file: name, offset: 8))
    }
    let count = Int(try cursor.u32("entries"))
    let hash = try cursor.u64("hash")
    let imageStart = try cursor.size("image offset")
    let imageSize = try cursor.size("image size")
    let directorySize = try cursor.size("directory size")

    let directory = try cursor.take(directorySize, "directory")
    guard digest(directory: directory, count: count, imageStart: imageStart, imageSize: imageSize) == hash else {
      throw .invalid("the directory was changed: its hash is wrong", at: Location(file: name, offset: 16))
    }
    guard imageStart % alignment == 0, imageStart >= cursor.position,
      let image = bytes.slice(imageStart, imageSize)
    else {
      throw .invalid(
        "the image lies outside the \(bytes.count) bytes of the file", at: Location(file: name, offset: 24))
    }

    var rows = ByteCursor(directory, file: name, origin: headerSize)
    try rows.needItems(count, size: entrySize, "entries")
    var entries: [Entry] = []
    var positions: [String: Int] = [:]
    for index in 0..<count {
      let entry = try readEntry(&rows, index)
      guard image.slice(entry.offset, entry.size) != nil else {
        throw rows.failure("\"\(entry.name)\" lies outside the image of \(imageSize) bytes", "entry[\(index)]")
      }
      guard positions.updateValue(index, forKey: entry.name) == nil else {
        throw rows.failure("\"\(entry.name)\" comes twice", "entry[\(index)]")
      }
      entries.append(entry)
    }
    return WeightsFile(entries: entries, hash: hash, image: image, path: name, positions: positions)
  }

  private static func readEntry(_ rows: inout ByteCursor, _ index: Int) throws(Diagnostic) -> Entry {
    let field = { "entry[\(index)]" }
    let nameSize = Int(try rows.u32(field()))
    let typeSize = Int(try rows.u32(field()))
    let layoutSize = Int(try rows.u32(field()))
    _ = try rows.u32(field())
    let offset = try rows.size(field())
    let size = try rows.size(field())
    let hash = try rows.u64(field())
    let name = try rows.text(nameSize, field())
    let type = try rows.text(typeSize, field())
    let layout = try rows.text(layoutSize, field())
    try rows.align(to: 8, field())
    return Entry(name: name, type: type, layout: layout, offset: offset, size: size, hash: hash)
  }
}

import Support

/// The arrays of a .npz file: a zip archive with one .npy file an array.
public struct NumPyArchive: Sendable {
  /// The arrays' names, without ".npy", in the file's order.
  public var names: [String] { members.map(\.name) }

  private struct Member {
    var name: String
    var method: UInt16
    var checksum: UInt32
    var compressedSize: Int
    var size: Int
    var offset: Int
  }

  private let bytes: ByteView
  private let file: String
  private var members: [Member] = []

  public static func read(path: String) throws(Diagnostic) -> NumPyArchive {
    try NumPyArchive(try MappedFile(path: path).view, name: path)
  }

  public init(_ bytes: ByteView, name: String) throws(Diagnostic) {
    self.bytes = bytes
    self.file = name
    try readDirectory()
  }

  /// Reads the array called `name`; nil where there is none.
  public func array(_ name: String) throws(Diagnostic) -> NumPyArray? {
    guard let member = members.first(where: { $0.name == name }) else { return nil }
    let place = Location(file: file, offset: member.offset, path: name)
    let content: ByteView
    do { content = try data(of: member) } catch { throw error.located(place) }
    let checksum = content.withBytes { Checksum.extend(0, with: $0) }
    guard checksum == member.checksum else { throw .invalid("the checksum is wrong", at: place) }
    return try NumPyArray.decode(content, name: "\(file)/\(name)")
  }

  private func data(of member: Member) throws(Diagnostic) -> ByteView {
    var cursor = ByteCursor(bytes, file: file)
    try cursor.move(to: member.offset, member.name)
    guard try cursor.u32("local header") == 0x0403_4b50 else {
      throw .invalid("the member's header is not where the directory says")
    }
    // The directory has told already what stands between here and the lengths.
    try cursor.skip(22, "local header")
    let nameLength = Int(try cursor.u16("name length"))
    let extraLength = Int(try cursor.u16("extra length"))
    try cursor.skip(nameLength + extraLength, "local header")
    let content = try cursor.take(member.compressedSize, "data")
    switch member.method {
    case 0:
      guard member.size == member.compressedSize else { throw .invalid("stored data with two sizes") }
      return content
    case 8: return try Inflate.decompress(content, size: member.size)
    default: throw .unsupported("compression method \(member.method) cannot be read")
    }
  }

  // MARK: The directory

  private mutating func readDirectory() throws(Diagnostic) {
    var (count, offset, end) = try findDirectory()
    var cursor = ByteCursor(bytes, file: file)
    try cursor.move(to: offset, "directory")
    try cursor.needItems(count, size: 46, "directory")
    offset = cursor.position
    while count > 0 {
      members.append(try readMember(&cursor))
      count -= 1
    }
    guard cursor.position <= end else { throw cursor.failure("the directory runs into its end record", "directory") }
  }

  /// The number of members, and where the directory starts and must have ended.
  private func findDirectory() throws(Diagnostic) -> (count: Int, offset: Int, end: Int) {
    // The end record is the last thing in the file but for a comment of at most 65,535 bytes.
    let signature: [UInt8] = [0x50, 0x4b, 5, 6]
    var position = bytes.count - 22
    let lowest = max(0, bytes.count - 22 - 65_535)
    while position >= lowest, bytes.slice(position, 4)?.bytes != signature { position -= 1 }
    guard position >= lowest else {
      throw .invalid("is no .npz file: it has no zip directory", at: Location(file: file))
    }
    var cursor = ByteCursor(bytes, file: file)
    try cursor.move(to: position + 10, "end record")
    let count = Int(try cursor.u16("member count"))
    _ = try cursor.u32("directory size")
    let offset = Int(try cursor.u32("directory offset"))
    guard count == 0xffff || offset == 0xffff_ffff, position >= 20 else { return (count, offset, position) }

    // Large archives have a second record, found by a locator right before the first one.
    try cursor.move(to: position - 20, "zip64 locator")
    guard try cursor.u32("zip64 locator") == 0x0706_4b50 else { return (count, offset, position) }
    try cursor.skip(4, "zip64 locator")
    let record = try cursor.size("zip64 locator")
    try cursor.move(to: record, "zip64 end record")
    guard try cursor.u32("zip64 end record") == 0x0606_4b50 else {
      throw cursor.failure("is not where its locator says", "zip64 end record")
    }
    try cursor.skip(28, "zip64 end record")
    let wideCount = try cursor.size("member count")
    _ = try cursor.size("directory size")
    return (wideCount, try cursor.size("directory offset"), record)
  }

  private func readMember(_ cursor: inout ByteCursor) throws(Diagnostic) -> Member {
    guard try cursor.u32("directory entry") == 0x0201_4b50 else {
      throw cursor.failure("a directory entry is missing", "directory")
    }
    try cursor.skip(4, "directory entry")
    let flags = try cursor.u16("flags")
    guard flags & 1 == 0 else { throw cursor.failure("the member is encrypted", "flags") }
    let method = try cursor.u16("method")
    try cursor.skip(4, "time")
    let checksum = try cursor.u32("checksum")
    var compressedSize = Int(try cursor.u32("compressed size"))
    var size = Int(try cursor.u32("size"))
    let nameLength = Int(try cursor.u16("name length"))
    let extraLength = Int(try cursor.u16("extra length"))
    let commentLength = Int(try cursor.u16("comment length"))
    try cursor.skip(8, "attributes")
    var offset = Int(try cursor.u32("offset"))
    var name = try cursor.text(nameLength, "name")
    var extra = ByteCursor(try cursor.take(extraLength, "extra"), file: file, origin: cursor.position - extraLength)
    try cursor.skip(commentLength, "comment")

    // Numbers that did not fit stand in an extra field, in this order.
    while extra.remaining >= 4 {
      let kind = try extra.u16("extra")
      let length = Int(try extra.u16("extra"))
      guard kind == 1 else {
        try extra.skip(length, "extra")
        continue
      }
      if size == 0xffff_ffff { size = try extra.size("size") }
      if compressedSize == 0xffff_ffff { compressedSize = try extra.size("compressed size") }
      if offset == 0xffff_ffff { offset = try extra.size("offset") }
      break
    }
    if name.hasSuffix(".npy") { name.removeLast(4) }
    return Member(
      name: name, method: method, checksum: checksum, compressedSize: compressedSize, size: size, offset: offset)
  }
}

import Support

/// Weights beside an artifact or a text module: named runs of bytes in one file.
///
///     0   "MARTLETW"
///     8   version (u32), number of entries (u32)
///     16  hash of the directory and of the numbers around it (u64)
///     24  start of the image (u64), a multiple of 4096
///     32  size of the image (u64)
///     40  size of the directory (u64)
///     48  the directory: for each entry the sizes of name, type and layout (u32 each), zero (u32),
///         offset in the image, size, hash (u64 each), then the three texts, padded to a multiple of 8
///         the image
///
/// The directory holds a hash of each entry's bytes, so that the one hash in the header stands for
/// all that the file holds and can be compared without reading gigabytes. Numbers are little-endian.
public struct WeightsFile: Sendable {
  public static let version: UInt32 = 1
  public static let alignment = 4096
  static let magic = "MARTLETW"
  static let headerSize = 48
  static let entrySize = 40

  public struct Entry: Sendable, Hashable {
    public var name: String
    /// The type as the IR prints it: `f32[64, 3]`.
    public var type: String
    /// The packed layout, "" for the plain one.
    public var layout: String
    public var offset: Int
    public var size: Int
    public var hash: UInt64
  }

  public let entries: [Entry]
  /// The hash in the header, which stands for everything.
  public let hash: UInt64
  /// All weights, as the artifact's one base pointer sees them.
  public let image: ByteView
  private let path: String
  private let positions: [String: Int]

  init(entries: [Entry], hash: UInt64, image: ByteView, path: String, positions: [String: Int]) {
    self.entries = entries
    self.hash = hash
    self.image = image
    self.path = path
    self.positions = positions
  }

  /// The hash in the header: over the directory, the number of entries, and the image's place and size.
  static func digest(directory: ByteView, count: Int, imageStart: Int, imageSize: Int) -> UInt64 {
    var hasher = ContentHasher()
    hasher.add(directory)
    for number in [count, imageStart, imageSize] { hasher.add(UInt64(number)) }
    return hasher.finish().low
  }

  public func entry(_ name: String) -> Entry? { positions[name].map { entries[$0] } }

  /// The bytes of an entry, not copied and not yet verified.
  public func data(_ entry: Entry) throws(Diagnostic) -> ByteView {
    guard let view = image.slice(entry.offset, entry.size) else {
      throw .invalid("\"\(entry.name)\" lies outside the image", at: Location(file: path))
    }
    return view
  }

  /// Fails where an entry's bytes are not those that were written.
  public func verify(_ entry: Entry) throws(Diagnostic) {
    guard ContentHash.of(try data(entry)).low == entry.hash else {
      throw .invalid("the weights \"\(entry.name)\" were changed: their hash is wrong", at: Location(file: path))
    }
  }
}

import Support

/// Encoded bytes, with the large runs left where they are.
struct ProtobufOutput {
  /// Runs of at least this size are referred to, not copied.
  private static let viewThreshold = 4096

  private(set) var count = 0
  private var small: [UInt8] = []
  /// Large runs, each to come after that many of the small bytes.
  private var large: [(after: Int, view: ByteView)] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      small.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
      count += 1
    }
    small.append(UInt8(truncatingIfNeeded: rest))
    count += 1
  }

  mutating func fixed32(_ value: UInt32) {
    for shift: UInt32 in [0, 8, 16, 24] { small.append(UInt8(truncatingIfNeeded: value >> shift)) }
    count += 4
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    small.append(contentsOf: bytes)
    count += bytes.count
  }

  mutating func append(_ view: ByteView) {
    guard view.count >= ProtobufOutput.viewThreshold else { return view.withBytes { append($0) } }
    large.append((after: small.count, view: view))
    count += view.count
  }

  /// Appends a message's size and its bytes.
  mutating func append(nested other: ProtobufOutput) {
    varint(UInt64(other.count))
    let shift = small.count
    small.append(contentsOf: other.small)
    for piece in other.large { large.append((after: shift + piece.after, view: piece.view)) }
    count += other.count
  }

  /// Hands out all bytes in order.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws(Diagnostic) -> Void) throws(Diagnostic) {
    var position = 0
    try small.withUnsafeBufferPointer { (buffer) throws(Diagnostic) in
      let raw = UnsafeRawBufferPointer(buffer)
      for piece in large {
        try body(UnsafeRawBufferPointer(rebasing: raw[position..<piece.after]))
        try piece.view.withBytes { (bytes) throws(Diagnostic) in try body(bytes) }
        position = piece.after
      }
      try body(UnsafeRawBufferPointer(rebasing: raw[position...]))
    }
  }

  var bytes: [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(count)
    // The closure throws nothing.
    try? forEachPiece { all.append(contentsOf: $0) }
    return all
  }

  func write(to path: String) throws(Diagnostic) {
    let file = try AtomicFile(path: path)
    try forEachPiece { (bytes) throws(Diagnostic) in try file.write(bytes) }
    try file.commit()
  }
}

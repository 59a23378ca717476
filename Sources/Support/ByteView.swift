/// Bytes that somebody else owns: a range of a mapped file, or a buffer of our own.
///
/// A view keeps its owner alive and is never written through, so weights travel
/// from the file to the artifact without a copy. Copying a view copies three words.
public struct ByteView: @unchecked Sendable {
  /// Keeps the bytes alive; nil for bytes that live as long as the process.
  public let owner: AnyObject?
  public let base: UnsafeRawPointer
  public let count: Int

  /// A view of bytes which `owner` keeps alive and unchanged.
  public init(owner: AnyObject?, base: UnsafeRawPointer, count: Int) {
    precondition(count >= 0)
    self.owner = owner
    self.base = base
    self.count = count
  }

  public static let empty = ByteView(copying: [])

  public init(copying bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { ByteView(copying: $0) }
  }

  public init(copying bytes: UnsafeRawBufferPointer) {
    let storage = ByteStorage(count: bytes.count)
    if let source = bytes.baseAddress, bytes.count > 0 {
      storage.base.copyMemory(from: source, byteCount: bytes.count)
    }
    self.init(owner: storage, base: UnsafeRawPointer(storage.base), count: bytes.count)
  }

  public init(utf8 text: String) {
    var text = text
    self = text.withUTF8 { ByteView(copying: UnsafeRawBufferPointer($0)) }
  }

  /// Bytes that `body` fills in; they are zero before. `count` must be checked by the caller.
  public init<E: Error>(count: Int, filledBy body: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
    let storage = ByteStorage(count: count)
    try body(UnsafeMutableRawBufferPointer(start: storage.base, count: count))
    self.init(owner: storage, base: UnsafeRawPointer(storage.base), count: count)
  }

  public var isEmpty: Bool { count == 0 }

  /// Runs `body` on the bytes, which stay alive until it returns.
  @inlinable
  public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The byte at `index`, which must be inside: views index like arrays, cursors check.
  public subscript(index: Int) -> UInt8 {
    precondition(index >= 0 && index < count)
    defer { withExtendedLifetime(owner) {} }
    return base.load(fromByteOffset: index, as: UInt8.self)
  }

  /// `length` bytes from `offset` on, or nil where that leaves the view.
  public func slice(_ offset: Int, _ length: Int) -> ByteView? {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
    return ByteView(owner: owner, base: base + offset, count: length)
  }

  public var bytes: [UInt8] { withBytes { [UInt8]($0) } }

  /// The bytes as text, or nil where they are no UTF-8.
  public var text: String? {
    withBytes { String(validating: $0, as: UTF8.self) }
  }
}

extension ByteView: Hashable {
  public static func == (left: ByteView, right: ByteView) -> Bool {
    guard left.count == right.count else { return false }
    if left.base == right.base || left.count == 0 { return true }
    return left.withBytes { a in right.withBytes { b in a.elementsEqual(b) } }
  }

  /// Hashes the size and the first bytes only: views may be gigabytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    withBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(64))) }
  }
}

/// Memory of our own behind a view, aligned for any vector load.
final class ByteStorage {
  let base: UnsafeMutableRawPointer

  init(count: Int) {
    base = .allocate(byteCount: max(count, 1), alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: max(count, 1))
  }

  deinit { base.deallocate() }
}

/// A run of bytes kept alive by whoever owns them: a mapped file, an array, a folded buffer.
///
/// Copying a view copies no bytes. Reads are bounds-checked by `subscript`; hot
/// loops take the whole buffer once through `withBytes`.
public struct ByteView: @unchecked Sendable {
  // Unchecked because the pointer is immutable memory that `owner` keeps alive.
  private let owner: AnyObject?
  private let base: UnsafeRawPointer
  public let count: Int

  /// Bytes that `owner` keeps alive and nobody changes.
  public init(owner: AnyObject?, base: UnsafeRawPointer, count: Int) {
    self.owner = owner
    self.base = base
    self.count = count
  }

  public init(_ bytes: [UInt8]) {
    let buffer = OwnedBytes(count: bytes.count)
    bytes.withUnsafeBytes { if let source = $0.baseAddress { buffer.base.copyMemory(from: source, byteCount: $0.count) } }
    self.init(owner: buffer, base: UnsafeRawPointer(buffer.base), count: bytes.count)
  }

  /// Fresh bytes, zeroed, then filled by `fill`.
  public init(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    let buffer = OwnedBytes(count: count)
    fill(UnsafeMutableRawBufferPointer(start: buffer.base, count: count))
    self.init(owner: buffer, base: UnsafeRawPointer(buffer.base), count: count)
  }

  public static var empty: ByteView { ByteView([]) }

  public subscript(_ index: Int) -> UInt8 {
    precondition(index >= 0 && index < count, "byte \(index) of \(count)")
    return base.load(fromByteOffset: index, as: UInt8.self)
  }

  /// The bytes `range`, or nil when it leaves this view.
  public func slice(_ range: Range<Int>) -> ByteView? {
    guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
    return ByteView(owner: owner, base: base + range.lowerBound, count: range.count)
  }

  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  public var array: [UInt8] { withBytes { Array($0) } }
}

extension ByteView: Hashable {
  public static func == (a: ByteView, b: ByteView) -> Bool {
    guard a.count == b.count else { return false }
    if a.base == b.base { return true }
    return a.withBytes { x in b.withBytes { y in x.elementsEqual(y) } }
  }
  public func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }
}

private final class OwnedBytes {
  let base: UnsafeMutableRawPointer
  init(count: Int) {
    base = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }
  deinit { base.deallocate() }
}

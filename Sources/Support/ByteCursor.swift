/// Reads a binary file front to back, checking every step.
///
/// Every method names the field it reads, so that an error says where the file breaks
/// and what should have been there. Nothing traps, whatever the bytes are.
/// Numbers are little-endian.
public struct ByteCursor: Sendable {
  public let view: ByteView
  /// The name that errors give the file.
  public let file: String?
  /// Where the view starts in the file, for errors.
  public let origin: Int
  /// Offset in the view of the next byte; never past its end.
  public private(set) var position = 0

  public init(_ view: ByteView, file: String? = nil, origin: Int = 0) {
    self.view = view
    self.file = file
    self.origin = origin
  }

  public var remaining: Int { view.count - position }
  public var isAtEnd: Bool { position == view.count }

  /// Where the next byte is, for a diagnostic.
  public func location(_ field: String? = nil) -> Location {
    Location(file: file, offset: origin + position, path: field)
  }

  public func failure(_ message: String, _ field: String? = nil) -> Diagnostic {
    .invalid(message, at: location(field))
  }

  // MARK: Moving

  public mutating func move(to offset: Int, _ field: @autoclosure () -> String) throws(Diagnostic) {
    guard offset >= 0, offset <= view.count else {
      throw failure("offset \(offset) is outside the \(view.count) bytes", field())
    }
    position = offset
  }

  public mutating func skip(_ count: Int, _ field: @autoclosure () -> String) throws(Diagnostic) {
    try need(count, field())
    position += count
  }

  /// Moves to the next multiple of `alignment`, counted from the start of the view.
  public mutating func align(to alignment: Int, _ field: @autoclosure () -> String) throws(Diagnostic) {
    guard alignment > 0 else { throw failure("alignment \(alignment) is not positive", field()) }
    let rest = position % alignment
    if rest != 0 { try skip(alignment - rest, field()) }
  }

  /// Fails unless `count` bytes are left.
  public func need(_ count: Int, _ field: @autoclosure () -> String) throws(Diagnostic) {
    guard count >= 0, count <= remaining else {
      throw failure("needs \(count) bytes, \(remaining) are left", field())
    }
  }

  /// Fails unless `count` things of at least `size` bytes each can be left: what to
  /// ask before reserving memory for a count that the file claims.
  public func needItems(_ count: Int, size: Int, _ field: @autoclosure () -> String) throws(Diagnostic) {
    guard count >= 0, size > 0, count <= remaining / size else {
      throw failure("claims \(count) items, \(remaining) bytes are left", field())
    }
  }

  // MARK: Numbers

  public mutating func u8(_ field: @autoclosure () -> String) throws(Diagnostic) -> UInt8 {
    try need(1, field())
    defer { position += 1 }
    return view[position]
  }

  public mutating func u16(_ field: @autoclosure () -> String) throws(Diagnostic) -> UInt16 {
    try need(2, field())
    defer { position += 2 }
    return view.withBytes { UInt16(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt16.self)) }
  }

  public mutating func u32(_ field: @autoclosure () -> String) throws(Diagnostic) -> UInt32 {
    try need(4, field())
    defer { position += 4 }
    return view.withBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self)) }
  }

  public mutating func u64(_ field: @autoclosure () -> String) throws(Diagnostic) -> UInt64 {
    try need(8, field())
    defer { position += 8 }
    return view.withBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt64.self)) }
  }

  public mutating func i8(_ field: @autoclosure () -> String) throws(Diagnostic) -> Int8 {
    Int8(bitPattern: try u8(field()))
  }
  public mutating func i16(_ field: @autoclosure () -> String) throws(Diagnostic) -> Int16 {
    Int16(bitPattern: try u16(field()))
  }
  public mutating func i32(_ field: @autoclosure () -> String) throws(Diagnostic) -> Int32 {
    Int32(bitPattern: try u32(field()))
  }
  public mutating func i64(_ field: @autoclosure () -> String) throws(Diagnostic) -> Int64 {
    Int64(bitPattern: try u64(field()))
  }
  public mutating func f32(_ field: @autoclosure () -> String) throws(Diagnostic) -> Float {
    Float(bitPattern: try u32(field()))
  }
  public mutating func f64(_ field: @autoclosure () -> String) throws(Diagnostic) -> Double {
    Double(bitPattern: try u64(field()))
  }

  /// An unsigned 64-bit number that must be usable as an offset or a count.
  public mutating func size(_ field: @autoclosure () -> String) throws(Diagnostic) -> Int {
    let start = position
    let value = try u64(field())
    guard let size = Int(exactly: value) else {
      position = start
      throw failure("size \(value) is impossible", field())
    }
    return size
  }

  /// A number of seven bits a byte, low bits first, of at most ten bytes.
  public mutating func varint(_ field: @autoclosure () -> String) throws(Diagnostic) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < view.count else {
        position = start
        throw failure("the number does not end inside the data", field())
      }
      let byte = view[position]
      position += 1
      if shift == 63, byte > 1 {
        position = start
        throw failure("the number takes more than 64 bits", field())
      }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  // MARK: Runs of bytes

  /// The next `count` bytes, not copied.
  public mutating func take(_ count: Int, _ field: @autoclosure () -> String) throws(Diagnostic) -> ByteView {
    guard let slice = view.slice(position, count) else {
      throw failure("needs \(count) bytes, \(remaining) are left", field())
    }
    position += count
    return slice
  }

  /// The next `count` bytes as UTF-8 text.
  public mutating func text(_ count: Int, _ field: @autoclosure () -> String) throws(Diagnostic) -> String {
    let start = position
    guard let text = try take(count, field()).text else {
      position = start
      throw failure("is not UTF-8 text", field())
    }
    return text
  }

  /// Fails unless the next bytes are exactly `magic`.
  public mutating func expect(_ magic: String, _ field: @autoclosure () -> String) throws(Diagnostic) {
    let start = position
    let found = try take(magic.utf8.count, field())
    guard found.bytes == Array(magic.utf8) else {
      position = start
      throw failure("does not start with \"\(magic)\"", field())
    }
  }
}

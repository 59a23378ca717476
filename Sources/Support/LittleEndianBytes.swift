/// Little-endian numbers and texts one after the other: headers and tables of binary files.
public struct LittleEndianBytes: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public var count: Int { bytes.count }

  public mutating func u8(_ value: UInt8) { bytes.append(value) }
  public mutating func u16(_ value: UInt16) {
    u8(UInt8(truncatingIfNeeded: value))
    u8(UInt8(truncatingIfNeeded: value >> 8))
  }
  public mutating func u32(_ value: UInt32) {
    u16(UInt16(truncatingIfNeeded: value))
    u16(UInt16(truncatingIfNeeded: value >> 16))
  }
  public mutating func u64(_ value: UInt64) {
    u32(UInt32(truncatingIfNeeded: value))
    u32(UInt32(truncatingIfNeeded: value >> 32))
  }
  public mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }
  public mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }
  public mutating func zeros(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }
  public mutating func align(to alignment: Int) {
    let rest = bytes.count % alignment
    if rest != 0 { zeros(alignment - rest) }
  }
}

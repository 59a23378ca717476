/// 128 bits that stand for some bytes: keys of the cache, names of equal kernels.
public struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  public let low: UInt64
  public let high: UInt64

  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  public static func of(_ bytes: UnsafeRawBufferPointer) -> ContentHash {
    var hasher = ContentHasher()
    hasher.add(bytes)
    return hasher.finish()
  }

  public static func of(_ bytes: [UInt8]) -> ContentHash { bytes.withUnsafeBytes { of($0) } }
  public static func of(_ view: ByteView) -> ContentHash { view.withBytes { of($0) } }
  public static func of(_ text: String) -> ContentHash {
    var text = text
    return text.withUTF8 { of(UnsafeRawBufferPointer($0)) }
  }

  /// 32 hexadecimal digits.
  public var description: String { ContentHash.digits(low) + ContentHash.digits(high) }

  private static func digits(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.utf8.count) + text
  }
}

/// Computes a `ContentHash` piece by piece; how the bytes are cut into pieces does not matter.
///
/// The algorithm is MurmurHash3 (x64, 128 bits, seed 0), of Austin Appleby, who put it in the
/// public domain: blocks of 16 bytes, two multiplications each. It is the same on every
/// machine and in every version. It guards against chance, not against an enemy: what must
/// not be confused on purpose is compared too.
public struct ContentHasher: Sendable {
  private var h1: UInt64 = 0
  private var h2: UInt64 = 0
  private var length: UInt64 = 0
  // The bytes that do not fill a block yet.
  private var tail1: UInt64 = 0
  private var tail2: UInt64 = 0

  private static let c1: UInt64 = 0x87c3_7b91_1142_53d5
  private static let c2: UInt64 = 0x4cf5_ad43_2745_937f

  public init() {}

  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var offset = 0
    // Fill up the block begun before, then whole blocks, then begin the next one.
    while length & 15 != 0, offset < bytes.count {
      addByte(base.load(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
    let blocks = (bytes.count - offset) / 16
    if blocks > 0 {
      addBlocks(base + offset, blocks)
      offset += blocks * 16
    }
    while offset < bytes.count {
      addByte(base.load(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
  }

  public mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }
  public mutating func add(_ view: ByteView) { view.withBytes { add($0) } }

  /// Adds a number's eight bytes, low ones first.
  public mutating func add(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { add($0) }
  }

  /// Adds the size of a text, then its bytes: "ab" and "c" differ from "a" and "bc".
  public mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      add(UInt64(bytes.count))
      add(UnsafeRawBufferPointer(bytes))
    }
  }

  public func finish() -> ContentHash {
    var a = h1
    var b = h2
    if length & 15 != 0 {
      b ^= ContentHasher.mix2(tail2)
      a ^= ContentHasher.mix1(tail1)
    }
    a ^= length
    b ^= length
    a &+= b
    b &+= a
    a = ContentHasher.avalanche(a)
    b = ContentHasher.avalanche(b)
    a &+= b
    b &+= a
    return ContentHash(low: a, high: b)
  }

  private mutating func addByte(_ byte: UInt8) {
    let place = length & 15
    if place < 8 {
      tail1 |= UInt64(byte) << (place * 8)
    } else {
      tail2 |= UInt64(byte) << ((place - 8) * 8)
    }
    length &+= 1
    if length & 15 == 0 {
      block(tail1, tail2)
      tail1 = 0
      tail2 = 0
    }
  }

  private mutating func addBlocks(_ base: UnsafeRawPointer, _ count: Int) {
    for index in 0..<count {
      let low = base.loadUnaligned(fromByteOffset: index &* 16, as: UInt64.self)
      let high = base.loadUnaligned(fromByteOffset: index &* 16 &+ 8, as: UInt64.self)
      block(UInt64(littleEndian: low), UInt64(littleEndian: high))
    }
    length &+= UInt64(count) &* 16
  }

  @inline(__always)
  private mutating func block(_ low: UInt64, _ high: UInt64) {
    h1 ^= ContentHasher.mix1(low)
    h1 = ContentHasher.rotate(h1, 27) &+ h2
    h1 = h1 &* 5 &+ 0x52dc_e729
    h2 ^= ContentHasher.mix2(high)
    h2 = ContentHasher.rotate(h2, 31) &+ h1
    h2 = h2 &* 5 &+ 0x3849_5ab5
  }

  @inline(__always)
  private static func mix1(_ value: UInt64) -> UInt64 { rotate(value &* c1, 31) &* c2 }
  @inline(__always)
  private static func mix2(_ value: UInt64) -> UInt64 { rotate(value &* c2, 33) &* c1 }
  @inline(__always)
  private static func rotate(_ value: UInt64, _ places: UInt64) -> UInt64 {
    value &<< places | value &>> (64 &- places)
  }

  private static func avalanche(_ value: UInt64) -> UInt64 {
    var value = value
    value ^= value >> 33
    value = value &* 0xff51_afd7_ed55_8ccd
    value ^= value >> 33
    value = value &* 0xc4ce_b9fe_1a85_ec53
    return value ^ value >> 33
  }
}

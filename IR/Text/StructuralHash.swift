import Support

/// FNV-1a with 128 bits: the same in every process, unlike Swift's own hashing. No defence against forgery.
public struct StableHasher: Sendable {
  private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
  private static let prime: UInt128 = 1 << 88 | 0x13b

  public init() {}

  public mutating func combine(_ text: String) {
    var copy = text
    copy.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
  }

  public mutating func combine(_ number: Int) { step(UInt64(bitPattern: Int64(number))) }

  /// Length first, so that neighbours cannot trade bytes; then a word at a time, since weights are large.
  public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    combine(bytes.count)
    let words = bytes.count / 8
    for index in 0..<words {
      step(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)))
    }
    for index in words * 8..<bytes.count { step(UInt64(bytes[index])) }
  }

  /// The multiplication carries upwards only; the fold brings the high half back down.
  private mutating func step(_ word: UInt64) {
    state = (state ^ UInt128(word)) &* StableHasher.prime
    state ^= state >> 64
  }

  /// 32 hexadecimal digits.
  public var digest: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 32 - digits.utf8.count) + digits
  }
}

extension Module {
  /// Equal for modules that print alike and have the same weights, in this process and any other.
  public var structuralHash: String {
    var hasher = StableHasher()
    hasher.combine(text(inlineLimit: 0))
    for weight in weights { weight.tensor.bytes.withBytes { hasher.combine($0) } }
    return hasher.digest
  }

  /// The same text and the same bytes in the weights; ids may differ.
  public func isStructurallyEqual(to other: Module) -> Bool {
    weights.count == other.weights.count && text(inlineLimit: 0) == other.text(inlineLimit: 0)
      && zip(weights, other.weights).allSatisfy { $0.tensor == $1.tensor }
  }
}

import Support

/// Element types to and from doubles and integers, in bulk. Non-generic loops: folding and the oracle live on them.
enum TensorCoding {
  static func encode(_ numbers: [Double], as type: ElementType) -> ByteView {
    if let small = SmallFloat(type) {
      return encodeBits(numbers.count, bits: type.bits) { Int(small.encode(numbers[$0])) }
    }
    switch type {
    case .f32:
      return ByteView(count: numbers.count * 4) { bytes in
        let out = bytes.bindMemory(to: Float.self)
        for i in 0..<numbers.count { out[i] = Float(numbers[i]) }
      }
    case .f64:
      return ByteView(count: numbers.count * 8) { bytes in
        let out = bytes.bindMemory(to: Double.self)
        for i in 0..<numbers.count { out[i] = numbers[i] }
      }
    case .f8e8m0:
      return encodeBits(numbers.count, bits: 8) {
        Int(ScaleFloat.encode(numbers[$0], rounding: .up, overflow: .saturate))
      }
    case .bool: return encodeBits(numbers.count, bits: 8) { numbers[$0] != 0 ? 1 : 0 }
    default: return encode(numbers.map { Int(saturating: $0) }, as: type)
    }
  }

  static func encode(_ integers: [Int], as type: ElementType) -> ByteView {
    if type.isFloat { return encode(integers.map(Double.init), as: type) }
    if type == .bool { return encodeBits(integers.count, bits: 8) { integers[$0] != 0 ? 1 : 0 } }
    return encodeBits(integers.count, bits: type.bits) { integers[$0] }
  }

  static func doubles(_ bytes: ByteView, as type: ElementType, count: Int) -> [Double] {
    if let small = SmallFloat(type) {
      return decodeBits(bytes, bits: type.bits, count: count).map { small.decode(UInt16(truncatingIfNeeded: $0)) }
    }
    return bytes.withBytes { buffer in
      switch type {
      case .f32: (0..<count).map { Double(buffer.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self)) }
      case .f64: (0..<count).map { buffer.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
      case .f8e8m0:
        (0..<count).map { ScaleFloat.decode(buffer[$0]) }
      case .u64: integers(bytes, as: type, count: count).map { Double(UInt(bitPattern: $0)) }
      default: integers(bytes, as: type, count: count).map(Double.init)
      }
    }
  }

  static func integers(_ bytes: ByteView, as type: ElementType, count: Int) -> [Int] {
    let patterns = decodeBits(bytes, bits: type.bits, count: count)
    guard type.isSigned, type.bits < 64 else { return patterns }
    let shift = 64 - type.bits
    return patterns.map { ($0 << shift) >> shift }
  }

  /// Zero-extended bit patterns, whatever the type, and back.
  static func bits(_ bytes: ByteView, as type: ElementType, count: Int) -> [Int] {
    decodeBits(bytes, bits: type.bits, count: count)
  }
  static func encode(bits patterns: [Int], as type: ElementType) -> ByteView {
    encodeBits(patterns.count, bits: type.bits) { patterns[$0] }
  }

  private static func encodeBits(_ count: Int, bits: Int, _ pattern: (Int) -> Int) -> ByteView {
    ByteView(count: (count * bits + 7) / 8) { bytes in
      for i in 0..<count {
        let value = pattern(i)
        switch bits {
        case 8: bytes[i] = UInt8(truncatingIfNeeded: value)
        case 16: bytes.storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: i * 2, as: UInt16.self)
        case 32: bytes.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: i * 4, as: UInt32.self)
        case 64: bytes.storeBytes(of: value, toByteOffset: i * 8, as: Int.self)
        default:
          let position = i * bits
          let masked = UInt8(truncatingIfNeeded: value) & UInt8((1 << bits) - 1)
          bytes[position / 8] |= masked << UInt8(position % 8)
        }
      }
    }
  }

  /// Zero-extended bit patterns.
  private static func decodeBits(_ bytes: ByteView, bits: Int, count: Int) -> [Int] {
    bytes.withBytes { buffer in
      var result = [Int](repeating: 0, count: count)
      for i in 0..<count {
        switch bits {
        case 8: result[i] = Int(buffer[i])
        case 16: result[i] = Int(buffer.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
        case 32: result[i] = Int(buffer.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self))
        case 64: result[i] = buffer.loadUnaligned(fromByteOffset: i * 8, as: Int.self)
        default: result[i] = Int(buffer[i * bits / 8] >> UInt8(i * bits % 8)) & ((1 << bits) - 1)
        }
      }
      return result
    }
  }
}

import Support

/// A block-quantized storage format: a fixed number of values in a fixed number of bytes, as the file stores them.
///
/// Adding a format is adding a value to `all` and its unpacking rule.
public struct BlockFormat: Hashable, Sendable {
  public let name: String
  public let valuesPerBlock: Int
  public let bytesPerBlock: Int
  private let unpackBlock: @Sendable (UnsafeRawBufferPointer, inout [Double]) -> Void

  public static func == (a: BlockFormat, b: BlockFormat) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// Eight-bit values with one f16 scale for 32 of them.
  public static let q8_0 = BlockFormat(name: "q8_0", valuesPerBlock: 32, bytesPerBlock: 34) { block, values in
    let scale = float16(block, 0)
    for i in 0..<32 { values.append(scale * Double(Int8(bitPattern: block[2 + i]))) }
  }

  /// Four-bit values, biased by 8, with one f16 scale for 32 of them; the low nibbles are the first 16 values.
  public static let q4_0 = BlockFormat(name: "q4_0", valuesPerBlock: 32, bytesPerBlock: 18) { block, values in
    let scale = float16(block, 0)
    for i in 0..<16 { values.append(scale * Double(Int(block[2 + i] & 15) - 8)) }
    for i in 0..<16 { values.append(scale * Double(Int(block[2 + i] >> 4) - 8)) }
  }

  public static let all = [q8_0, q4_0]

  public static func named(_ name: String) -> BlockFormat? { all.first { $0.name == name } }

  private init(
    name: String, valuesPerBlock: Int, bytesPerBlock: Int,
    unpackBlock: @escaping @Sendable (UnsafeRawBufferPointer, inout [Double]) -> Void
  ) {
    self.name = name
    self.valuesPerBlock = valuesPerBlock
    self.bytesPerBlock = bytesPerBlock
    self.unpackBlock = unpackBlock
  }

  /// The values that the blocks stand for, in order.
  public func unpack(_ bytes: ByteView) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(bytes.count / bytesPerBlock * valuesPerBlock)
    bytes.withBytes { buffer in
      for start in stride(from: 0, to: buffer.count - bytesPerBlock + 1, by: bytesPerBlock) {
        unpackBlock(UnsafeRawBufferPointer(rebasing: buffer[start..<start + bytesPerBlock]), &values)
      }
    }
    return values
  }
}

private func float16(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Double {
  SmallFloat.f16.decode(UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8)
}

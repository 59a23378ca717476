import Support

/// Floats as text that reads back to the same bits.
enum NumberText {
  /// The shortest digits that read back; a NaN other than the usual one shows its bits.
  static func text(_ number: Double) -> String {
    guard number.isNaN else { return number.description }
    if number.bitPattern == Double.nan.bitPattern { return "nan" }
    return "nan(0x\(String(number.bitPattern, radix: 16)))"
  }

  static func text(_ number: Float) -> String {
    guard number.isNaN else { return number.description }
    if number.bitPattern == Float.nan.bitPattern { return "nan" }
    return "nan(0x\(String(number.bitPattern, radix: 16)))"
  }
}

/// The elements of a tensor as text.
enum TensorText {
  /// `[1.0, 2.0]`, or `hex "0000803f"` where numbers would not read back to the same bytes.
  ///
  /// Numbers stand for plain and quantized elements in row-major order. Blocks, packed layouts, NaNs with a payload and
  /// padding bits that are not zero are written as the bytes in memory.
  static func literal(_ tensor: Tensor) -> String {
    guard let type = tensor.storage, tensor.layout == nil else { return hex(tensor.bytes) }
    if type == .string { return list(tensor.strings.map { MIRName.quoted(bytes: $0) }) }
    if type.isFloat {
      let numbers = tensor.doubles()
      let hasPayload = numbers.contains { $0.isNaN && $0.bitPattern != Double.nan.bitPattern }
      guard !hasPayload, TensorCoding.encode(numbers, as: type) == tensor.bytes else { return hex(tensor.bytes) }
      // The shortest digits that tell f64 values apart are many for an f32; narrower floats are exact as f32.
      return list(type == .f64 ? numbers.map(\.description) : numbers.map { Float($0).description })
    }
    let numbers = tensor.integers()
    guard TensorCoding.encode(numbers, as: type) == tensor.bytes else { return hex(tensor.bytes) }
    if type == .bool { return list(numbers.map { $0 == 0 ? "false" : "true" }) }
    return list(type == .u64 ? numbers.map { UInt(bitPattern: $0).description } : numbers.map(\.description))
  }

  private static func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }

  private static func hex(_ bytes: ByteView) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.count * 2)
    for byte in bytes.bytes { digits += [MIRName.hexDigit(byte >> 4), MIRName.hexDigit(byte & 15)] }
    return "hex \"" + String(decoding: digits, as: UTF8.self) + "\""
  }
}

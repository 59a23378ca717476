import Support

/// How a .npy file spells an element type: byte order, kind, size.
struct NumPyDescriptor {
  enum Element {
    case plain(ElementType)
    /// UTF-32 texts of a fixed length.
    case unicode
    /// Byte texts of a fixed length.
    case bytes
  }

  var element: Element
  var isBigEndian: Bool
  /// Bytes of one element.
  var size: Int

  init(_ text: String) throws(Diagnostic) {
    var rest = text[...]
    isBigEndian = false
    if let first = rest.first, "<>|=".contains(first) {
      isBigEndian = first == ">"
      rest = rest.dropFirst()
    }
    guard let kind = rest.first, let number = Int(rest.dropFirst()), number >= 0 else {
      if rest.first == "O" {
        throw .unsupported("arrays of Python objects cannot be read")
      }
      throw .invalid("element type '\(text)' is not understood")
    }
    size = number
    switch (kind, number) {
    case ("U", 0...(1 << 24)):
      element = .unicode
      size = number * 4
    case ("S", 0...(1 << 24)): element = .bytes
    // The bfloat16 of ml_dtypes, the only two bytes without a type that anybody writes.
    case ("V", 2): element = .plain(.bf16)
    default:
      guard let type = NumPyDescriptor.plainTypes["\(kind)\(number)"] else {
        throw .unsupported("element type '\(text)' cannot be read")
      }
      element = .plain(type)
    }
  }

  private static let plainTypes: [String: ElementType] = [
    "b1": .bool, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64,
    "u1": .u8, "u2": .u16, "u4": .u32, "u8": .u64, "f2": .f16, "f4": .f32, "f8": .f64,
  ]

  /// What to write for `type`; nil where NumPy has no such type.
  static func text(for type: ElementType) -> String? {
    for (name, candidate) in plainTypes where candidate == type {
      return (type.bits == 8 ? "|" : "<") + name
    }
    return nil
  }
}

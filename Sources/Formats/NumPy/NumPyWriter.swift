import Support

extension NumPyArray {
  /// The array as a .npy file, byte for byte as numpy itself writes it.
  public func encode() throws(Diagnostic) -> [UInt8] {
    let (header, body) = try parts()
    return header + body.bytes
  }

  public func write(to path: String) throws(Diagnostic) {
    let (header, body) = try parts()
    let file = try AtomicFile(path: path)
    try file.write(header)
    try file.write(body)
    try file.commit()
  }

  /// The header and the elements of the file.
  func parts() throws(Diagnostic) -> (header: [UInt8], body: ByteView) {
    guard let count = checkedElementCount(dims) else { throw .bug("an array with the shape \(dims)") }
    if type == .string { return try stringParts(count) }
    guard let descriptor = NumPyDescriptor.text(for: type) else {
      throw .unsupported("a .npy file cannot hold elements of type \(type.rawValue)")
    }
    guard type.bytes(for: count) == data.count else {
      throw .bug("an array of shape \(dims) and type \(type.rawValue) with \(data.count) bytes")
    }
    return (try NumPyHeader.encode(descriptor: descriptor, dims: dims), data)
  }

  /// Texts have a fixed length in the file: that of the longest one.
  private func stringParts(_ count: Int) throws(Diagnostic) -> (header: [UInt8], body: ByteView) {
    guard strings.count == count else { throw .bug("an array of shape \(dims) with \(strings.count) texts") }
    let longest = max(strings.map { $0.unicodeScalars.count }.max() ?? 0, 1)
    let (size, overflow) = count.multipliedReportingOverflow(by: longest * 4)
    guard !overflow else { throw .unsupported("the texts are too long for a .npy file") }
    let body = ByteView(count: size) { raw in
      for (row, text) in strings.enumerated() {
        for (column, scalar) in text.unicodeScalars.enumerated() {
          let offset = (row * longest + column) * 4
          raw.storeBytes(of: scalar.value.littleEndian, toByteOffset: offset, as: UInt32.self)
        }
      }
    }
    return (try NumPyHeader.encode(descriptor: "<U\(longest)", dims: dims), body)
  }
}

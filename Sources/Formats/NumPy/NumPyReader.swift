import Support

extension NumPyArray {
  public static func read(path: String) throws(Diagnostic) -> NumPyArray {
    try decode(try MappedFile(path: path).view, name: path)
  }

  public static func decode(_ bytes: ByteView, name: String) throws(Diagnostic) -> NumPyArray {
    var cursor = ByteCursor(bytes, file: name)
    let header = try NumPyHeader(&cursor)
    let place = cursor.location("elements")
    let descriptor: NumPyDescriptor
    do { descriptor = try NumPyDescriptor(header.descriptor) } catch { throw error.located(Location(file: name)) }

    guard let count = checkedElementCount(header.dims) else {
      throw .invalid("shape \(header.dims) makes more elements than can be counted", at: place)
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: descriptor.size)
    // Elements of no size would let a short file claim any number of them.
    guard !overflow, size <= cursor.remaining, descriptor.size > 0 || count <= cursor.remaining else {
      throw .invalid(
        "shape \(header.dims) of '\(header.descriptor)' needs more than the \(cursor.remaining) bytes there are",
        at: place)
    }
    var data = try cursor.take(size, "elements")
    if header.isFortranOrder, header.dims.count > 1 {
      data = NumPyLayout.rowMajor(data, dims: header.dims, elementSize: descriptor.size)
    }
    switch descriptor.element {
    case .plain(let type):
      if descriptor.isBigEndian, descriptor.size > 1 { data = NumPyLayout.swapped(data, elementSize: descriptor.size) }
      return NumPyArray(type, dims: header.dims, data: data)
    case .bytes:
      let texts = split(data, count, descriptor.size) { String(decoding: trimmed($0), as: UTF8.self) }
      return NumPyArray(strings: texts, dims: header.dims)
    case .unicode:
      if descriptor.isBigEndian { data = NumPyLayout.swapped(data, elementSize: 4) }
      return NumPyArray(strings: split(data, count, descriptor.size, unicodeText), dims: header.dims)
    }
  }

  private static func split(
    _ data: ByteView, _ count: Int, _ size: Int, _ text: (UnsafeRawBufferPointer) -> String
  ) -> [String] {
    data.withBytes { raw in
      (0..<count).map { text(UnsafeRawBufferPointer(rebasing: raw[($0 * size)..<(($0 + 1) * size)])) }
    }
  }

  private static func trimmed(_ raw: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer> {
    raw[..<(raw.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)]
  }

  private static func unicodeText(_ raw: UnsafeRawBufferPointer) -> String {
    var text = String.UnicodeScalarView()
    var length = raw.count / 4
    while length > 0, code(raw, length - 1) == 0 { length -= 1 }
    for index in 0..<length { text.append(Unicode.Scalar(code(raw, index)) ?? "\u{fffd}") }
    return String(text)
  }

  private static func code(_ raw: UnsafeRawBufferPointer, _ index: Int) -> UInt32 {
    UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
  }
}

/// Rearranges elements into the one form we keep.
enum NumPyLayout {
  /// From column-major to row-major order. `data` holds exactly the elements of `dims`.
  static func rowMajor(_ data: ByteView, dims: [Int], elementSize: Int) -> ByteView {
    guard data.count > 0 else { return data }
    var strides: [Int] = []
    var stride = elementSize
    for dim in dims {
      strides.append(stride)
      stride *= dim
    }
    return ByteView(count: data.count) { target in
      data.withBytes { source in
        var index = [Int](repeating: 0, count: dims.count)
        var from = 0
        for to in Swift.stride(from: 0, to: data.count, by: elementSize) {
          for byte in 0..<elementSize { target[to + byte] = source[from + byte] }
          // Counts like an odometer, the last axis fastest.
          var axis = dims.count - 1
          while axis >= 0 {
            index[axis] += 1
            from += strides[axis]
            if index[axis] < dims[axis] { break }
            from -= strides[axis] * dims[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
  }

  static func swapped(_ data: ByteView, elementSize: Int) -> ByteView {
    ByteView(count: data.count) { target in
      data.withBytes { source in
        for start in stride(from: 0, to: data.count - data.count % elementSize, by: elementSize) {
          for byte in 0..<elementSize { target[start + byte] = source[start + elementSize - 1 - byte] }
        }
      }
    }
  }
}

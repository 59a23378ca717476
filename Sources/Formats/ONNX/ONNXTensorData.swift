import Support

extension ONNXTensor {
  /// The number of elements, checked.
  public func elementCount() throws(Diagnostic) -> Int {
    for (axis, dim) in dims.enumerated() where dim < 0 { throw fault("dims[\(axis)] is \(dim)") }
    guard let count = checkedElementCount(dims) else {
      throw fault("dims \(dims) make more elements than can be counted")
    }
    return count
  }

  /// The elements, packed low bits first: a view of the file where it has them so.
  public func bytes() throws(Diagnostic) -> ByteView {
    guard let type = elementType else {
      let kind: Diagnostic.Kind = ONNXDataType(rawValue: rawType) == nil || rawType == 0 ? .invalid : .unsupported
      throw Diagnostic(kind, "tensors of type \(ONNXDataType.name(rawType)) cannot be read", at: place)
    }
    guard type != .string else { throw fault("holds strings, not numbers") }
    guard segment == nil else {
      throw .unsupported("tensors split into segments are not supported", at: place)
    }
    let count = try elementCount()
    guard let size = type.bytes(for: count) else { throw fault("dims \(dims) make more bytes than can be counted") }

    if isExternal { return try externalBytes(size) }
    if wire.has(9) || !rawData.isEmpty {
      guard rawData.count == size else {
        throw fault("raw_data has \(rawData.count) bytes, \(dims) of \(type.rawValue) take \(size)")
      }
      return rawData
    }
    guard hasTypedData || size == 0 else {
      throw fault("holds no data, \(dims) of \(type.rawValue) take \(size) bytes")
    }
    return try typedBytes(type, count: count, size: size)
  }

  /// The elements of a tensor of strings: bytes, for the format promises no UTF-8.
  public func strings() throws(Diagnostic) -> [ByteView] {
    guard elementType == .string else {
      throw fault("holds elements of type \(ONNXDataType.name(rawType)), not strings")
    }
    let count = try elementCount()
    guard stringData.count == count else {
      throw fault("string_data has \(stringData.count) elements, dims \(dims) take \(count)")
    }
    return stringData
  }

  private var hasTypedData: Bool {
    !(floatData.isEmpty && int32Data.isEmpty && int64Data.isEmpty && doubleData.isEmpty && uint64Data.isEmpty)
  }

  private func typedBytes(_ type: ElementType, count: Int, size: Int) throws(Diagnostic) -> ByteView {
    switch type {
    case .f32:
      return try whole(floatData, "float_data", count)
    case .f64:
      return try whole(doubleData, "double_data", count)
    case .i64:
      return try narrowed(int64Data, "int64_data", count: count, width: 8)
    case .u64, .u32:
      return try narrowed(uint64Data, "uint64_data", count: count, width: type.bits / 8)
    case .string:
      throw fault("holds strings, not numbers")
    default:
      // Elements below a byte are packed here too: one number a byte.
      let numbers = type.bits < 8 ? size : count
      return try narrowed(int32Data, "int32_data", count: numbers, width: max(type.bits / 8, 1))
    }
  }

  /// Fixed-size numbers are in the file as we want them.
  private func whole(_ numbers: ProtobufNumbers, _ field: String, _ count: Int) throws(Diagnostic) -> ByteView {
    guard numbers.count == count else {
      throw fault("\(field) has \(numbers.count) elements, dims \(dims) take \(count)")
    }
    return numbers.bytes
  }

  private func narrowed(
    _ numbers: ProtobufNumbers, _ field: String, count: Int, width: Int
  ) throws(Diagnostic) -> ByteView {
    // What is there is counted first, so that a claim in `dims` reserves nothing.
    let found = numbers.count
    guard found == count else { throw fault("\(field) has \(found) elements, dims \(dims) take \(count)") }
    let (size, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow else { throw fault("dims \(dims) make more bytes than can be counted") }
    return ByteView(count: size) { raw in
      var offset = 0
      numbers.forEachVarint { value in
        for byte in 0..<width {
          raw[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
        offset += width
      }
    }
  }

  // MARK: External data

  private func externalBytes(_ size: Int) throws(Diagnostic) -> ByteView {
    guard let file else {
      throw fault("has external data, but the model was not read from a file")
    }
    guard let name = externalData.first(where: { $0.key == "location" })?.value else {
      throw fault("has external data without a location")
    }
    let offset = try externalNumber("offset") ?? 0
    if let length = try externalNumber("length"), length != size {
      throw fault("external data \"\(name)\" has length \(length), dims \(dims) take \(size)")
    }
    let mapped = try file.sibling(name, at: place)
    guard let view = mapped.view.slice(offset, size) else {
      throw fault(
        "external data \"\(name)\" has \(mapped.count) bytes, bytes \(offset) to \(offset &+ size) are wanted")
    }
    return view
  }

  private func externalNumber(_ key: String) throws(Diagnostic) -> Int? {
    guard let text = externalData.first(where: { $0.key == key })?.value else { return nil }
    guard let value = Int(text), value >= 0 else { throw fault("external data has the \(key) \"\(text)\"") }
    return value
  }

  private var place: Location { Location(file: file?.path, path: "tensor \"\(name)\"") }

  private func fault(_ message: String) -> Diagnostic { .invalid(message, at: place) }
}

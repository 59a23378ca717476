import Support

// Types and the tensors written in the text.

extension Reader {
  public mutating func type() throws(Diagnostic) -> ValueType {
    for (word, make) in Reader.wrappers where cursor.isWord(word) {
      try enter()
      defer { leave() }
      try cursor.advance()
      try cursor.expect(.less, "after \(word)")
      let element = try type()
      try cursor.expect(.greater, "after the type in \(word)")
      return make(element)
    }
    if let element = try openTensor() { return .anyTensor(element) }
    return .tensor(try tensorType())
  }

  /// `f32[*]`; nil, and nothing read, where something else follows.
  private mutating func openTensor() throws(Diagnostic) -> ElementType? {
    guard cursor.token.kind == .word, let element = ElementType(rawValue: cursor.text) else { return nil }
    var ahead = cursor
    try ahead.advance()
    guard try ahead.take(.openBracket), try ahead.take(.star), try ahead.take(.closeBracket) else { return nil }
    cursor = ahead
    return element
  }

  private static let wrappers: [(String, @Sendable (ValueType) -> ValueType)] = [
    ("seq", { .sequence($0) }), ("optional", { .optional($0) }),
  ]

  public mutating func tensorType() throws(Diagnostic) -> TensorType {
    let start = cursor.token.start
    let element = try element()
    var shape: [Dim] = []
    try list(.openBracket, .closeBracket, "the extents") { reader throws(Diagnostic) in shape.append(try reader.dim()) }
    var type = TensorType(element, shape)
    if cursor.token.kind == .reference { type.layout = try layout() }
    do throws(Diagnostic) { try type.check() } catch { throw error.located(cursor.location(start)) }
    return type
  }

  mutating func element() throws(Diagnostic) -> TensorElement {
    let start = cursor.token.start
    let word = try cursor.word("a type")
    if let format = BlockFormat.named(word) { return .block(format) }
    guard let type = ElementType(rawValue: word) else {
      let known = ElementType.allCases.map(\.rawValue) + BlockFormat.all.map(\.name) + ["seq", "optional"]
      let hint = closest(to: word, among: known).map { "did you mean \($0)?" }
      throw cursor.error("there is no type \(word)", at: start, hint: hint)
    }
    guard try cursor.take(.less) else { return .plain(type) }
    let place = cursor.token.start
    let name = try cursor.name(.parameters, "the name of quantization parameters, as in i8<!q1>").name
    guard knowsQuantization(name) else {
      let hint = closest(to: name, among: quantizations).map { "did you mean !\($0)?" }
      throw cursor.error("there are no quantization parameters !\(MIRName.sigiled(name))", at: place, hint: hint)
    }
    guard type != .bool, type != .string else { throw cursor.error("\(word) cannot be quantized", at: start) }
    try cursor.expect(.greater, "after the quantization parameters")
    return .quantized(type, name)
  }

  /// `@panels32`, `@panels32x4`.
  private mutating func layout() throws(Diagnostic) -> PackedLayout {
    let start = cursor.token.start
    let name = try cursor.name(.reference, "a layout").name
    let parts =
      name.hasPrefix("panels") ? name.dropFirst(6).split(separator: "x", omittingEmptySubsequences: false) : []
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count, (1...2).contains(numbers.count), numbers[0] > 0, (numbers.last ?? 0) > 0 else {
      throw cursor.error("@\(MIRName.sigiled(name)) is no layout", at: start, hint: "one is @panels32, or @panels32x4")
    }
    return PackedLayout(columns: numbers[0], group: numbers.count == 2 ? numbers[1] : 1)
  }

  /// `f32[2] [1.0, 2.0]`.
  mutating func tensor() throws(Diagnostic) -> Tensor { try literal(try tensorType()) }

  /// The elements of a tensor of `type`: a list, or `hex` and the bytes in memory.
  mutating func literal(_ type: TensorType) throws(Diagnostic) -> Tensor {
    let start = cursor.token.start
    do throws(Diagnostic) {
      guard let shape = type.constantShape, let size = type.constantBytes else {
        throw .invalid("a tensor of type \(type) cannot be written, its shape is not constant")
      }
      if try cursor.take(word: "hex") { return try hexTensor(type, shape, size) }
      guard let storage = type.element.storage, type.layout == nil else {
        throw .invalid("elements of type \(type) are written as hex \"...\", the bytes in memory")
      }
      // `check` has bounded every extent and the product.
      return try listTensor(type, storage, shape, count: shape.reduce(1, *))
    } catch {
      throw error.located(cursor.location(start))
    }
  }

  private mutating func hexTensor(_ type: TensorType, _ shape: [Int], _ size: Int) throws(Diagnostic) -> Tensor {
    guard type.element.storage != .string else { throw .invalid("strings are written as a list") }
    let digits = try cursor.stringBytes()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    guard digits.count % 2 == 0, digits.count / 2 == size else {
      throw .invalid("\(type) takes \(size) bytes, but \(digits.count) hexadecimal digits are written")
    }
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Cursor.hexValue(digits[index]), let low = Cursor.hexValue(digits[index + 1]) else {
        throw .invalid("hex takes hexadecimal digits only")
      }
      bytes.append(high << 4 | low)
    }
    return try Tensor(element: type.element, shape: shape, layout: type.layout, bytes: ByteView(copying: bytes))
  }

  private mutating func listTensor(
    _ type: TensorType, _ storage: ElementType, _ shape: [Int], count: Int
  ) throws(Diagnostic) -> Tensor {
    var doubles: [Double] = []
    var integers: [Int] = []
    var strings: [[UInt8]] = []
    var written = 0
    try list(.openBracket, .closeBracket, "the elements") { reader throws(Diagnostic) in
      written += 1
      guard written <= count else { throw reader.cursor.error("\(type) has \(count) elements, but more are written") }
      switch storage {
      case .string: strings.append(try reader.cursor.stringBytes())
      case .bool: integers.append(try reader.flag() ? 1 : 0)
      case .f64: doubles.append(try reader.double("a number"))
      case _ where storage.isFloat: doubles.append(Double(try reader.float("a number")))
      default: integers.append(try reader.integer(storage))
      }
    }
    guard written == count else { throw .invalid("\(type) has \(count) elements, but \(written) are written") }
    if storage == .string { return Tensor(strings: strings, shape: shape) }
    let bytes =
      storage.isFloat ? TensorCoding.encode(doubles, as: storage) : TensorCoding.encode(integers, as: storage)
    return try Tensor(element: type.element, shape: shape, bytes: bytes)
  }

  mutating func flag() throws(Diagnostic) -> Bool {
    if try cursor.take(word: "true") { return true }
    if try cursor.take(word: "false") { return false }
    throw cursor.error("expected true or false, found \(cursor.shown)")
  }

  private mutating func integer(_ type: ElementType) throws(Diagnostic) -> Int {
    if type == .u64, cursor.token.kind == .number, let value = UInt(cursor.text) {
      try cursor.advance()
      return Int(bitPattern: value)
    }
    let start = cursor.token.start
    let value = try int("an integer")
    guard type.integerRange?.contains(value) ?? false else {
      throw cursor.error("\(value) does not fit \(type.rawValue)", at: start)
    }
    return value
  }
}

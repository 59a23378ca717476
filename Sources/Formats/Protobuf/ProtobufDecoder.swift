import Support

/// Reads messages out of a mapped file.
///
/// For each field in the bytes the decoder asks the message to name its fields, and
/// the one whose number fits takes the value. The first failure ends everything.
struct ProtobufDecoder: ProtobufVisitor {
  /// Deeper nesting than this is refused; the reference implementation's own limit.
  static let depthLimit = 100

  private let source: ByteView
  private let file: String?
  private let messageOrigin: ModelFile?
  private let base: UnsafeRawPointer
  private var failure: Diagnostic?
  /// What the messages may take in memory: an empty one takes two bytes of the file and hundreds here.
  private var budget: Int
  /// Where we are, as fields from the outermost message inwards.
  private var path: [Step] = []

  // The field being read: its number and kind, and where its payload is.
  private var number: UInt32 = 0
  private var kind = ProtobufWireType.varint
  private var varint: UInt64 = 0
  private var start = 0
  private var end = 0
  private var handled = false
  private var sawPacked = false

  private struct Step {
    var name: StaticString
    var index: Int?
  }

  private init(_ source: ByteView, file: String?, origin: ModelFile?) {
    self.source = source
    self.file = file
    self.messageOrigin = origin
    self.base = source.base
    self.budget = ProtobufDecoder.budget(for: source.count)
  }

  static func decode<M: ProtobufMessage>(
    _ type: M.Type, from source: ByteView, file: String?, origin: ModelFile?
  ) throws(Diagnostic) -> M {
    var decoder = ProtobufDecoder(source, file: file, origin: origin)
    var message = M()
    decoder.read(&message, from: 0, to: source.count)
    withExtendedLifetime(source) {}
    if let failure = decoder.failure { throw failure }
    return message
  }

  /// No honest message grows more than some 25 times; small files may be as wasteful as they like.
  private static func budget(for size: Int) -> Int {
    let (scaled, overflow) = size.multipliedReportingOverflow(by: 32)
    return overflow ? .max : max(scaled, 1 << 26)
  }

  // MARK: The wire

  private mutating func read<M: ProtobufMessage>(_ message: inout M, from first: Int, to last: Int) {
    guard path.count <= ProtobufDecoder.depthLimit else {
      return fail("messages are nested more than \(ProtobufDecoder.depthLimit) deep", at: first)
    }
    var position = first
    while position < last, failure == nil {
      let fieldStart = position
      guard let tag = readVarint(&position, before: last) else { return }
      guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
        return fail("field number \(tag >> 3) is impossible", at: fieldStart)
      }
      number = UInt32(tag >> 3)
      guard readPayload(tag: tag, &position, before: last) else { return }

      handled = false
      sawPacked = false
      let current = number
      message.visit(&self)
      guard failure == nil else { return }
      if handled {
        message.wire.mark(current)
        if sawPacked { message.wire.markPacked(current) }
      } else if let bytes = source.slice(fieldStart, position - fieldStart) {
        message.wire.unknown.append(ProtobufWire.Unknown(number: current, bytes: bytes))
      }
    }
  }

  /// Finds a field's payload and moves behind it; false after a failure.
  private mutating func readPayload(tag: UInt64, _ position: inout Int, before last: Int) -> Bool {
    guard let kind = ProtobufWireType(rawValue: UInt8(tag & 7)) else {
      fail("field \(tag >> 3) has wire type \(tag & 7), which no ONNX file uses", at: position)
      return false
    }
    self.kind = kind
    var length = 0
    switch kind {
    case .varint:
      start = position
      guard let value = readVarint(&position, before: last) else { return false }
      varint = value
      end = position
      return true
    case .fixed32: length = 4
    case .fixed64: length = 8
    case .bytes:
      let before = position
      guard let claimed = readVarint(&position, before: last) else { return false }
      guard claimed <= UInt64(last - position) else {
        fail("field \(number) claims \(claimed) bytes, \(last - position) are left", at: before)
        return false
      }
      length = Int(claimed)
    }
    guard length <= last - position else {
      fail("field \(number) needs \(length) bytes, \(last - position) are left", at: position)
      return false
    }
    start = position
    position += length
    end = position
    return true
  }

  private mutating func readVarint(_ position: inout Int, before last: Int) -> UInt64? {
    let first = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < last {
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      position += 1
      if shift == 63, byte > 1 {
        fail("a number takes more than 64 bits", at: first)
        return nil
      }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    fail("a number does not end inside its message", at: first)
    return nil
  }

  private mutating func fail(_ message: String, at offset: Int, in name: StaticString? = nil, index: Int? = nil) {
    guard failure == nil else { return }
    var text = ""
    for step in path { ProtobufDecoder.append(step, to: &text) }
    if let name { ProtobufDecoder.append(Step(name: name, index: index), to: &text) }
    failure = .invalid(message, at: Location(file: file, offset: offset, path: text.isEmpty ? nil : text))
  }

  private static func append(_ step: Step, to text: inout String) {
    if !text.isEmpty { text += "." }
    text += "\(step.name)"
    if let index = step.index { text += "[\(index)]" }
  }

  /// Whether the field at hand is this one, and laid out as it must be.
  private mutating func takes(
    _ wanted: UInt32, _ name: StaticString, _ layout: ProtobufWireType, index: Int? = nil
  ) -> Bool {
    guard wanted == number, !handled, failure == nil else { return false }
    handled = true
    guard kind == layout else {
      fail("holds \(kind.name) instead of \(layout.name)", at: start, in: name, index: index)
      return false
    }
    return true
  }

  private var payload: ByteView {
    ByteView(owner: source.owner, base: base + start, count: end - start)
  }

  private func fixed32(at offset: Int) -> UInt32 {
    UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  // MARK: Fields

  mutating func int(_ number: UInt32, _ name: StaticString, _ value: inout Int) {
    if takes(number, name, .varint) { value = Int(truncatingIfNeeded: varint) }
  }

  mutating func int32(_ number: UInt32, _ name: StaticString, _ value: inout Int32) {
    if takes(number, name, .varint) { value = Int32(truncatingIfNeeded: varint) }
  }

  mutating func float(_ number: UInt32, _ name: StaticString, _ value: inout Float) {
    if takes(number, name, .fixed32) { value = Float(bitPattern: fixed32(at: start)) }
  }

  mutating func string(_ number: UInt32, _ name: StaticString, _ value: inout String) {
    guard takes(number, name, .bytes) else { return }
    guard let text = payload.text else { return fail("is not UTF-8 text", at: start, in: name) }
    value = text
  }

  mutating func text(_ number: UInt32, _ name: StaticString, _ value: inout String) {
    if takes(number, name, .bytes) { value = payload.withBytes { String(decoding: $0, as: UTF8.self) } }
  }

  mutating func bytes(_ number: UInt32, _ name: StaticString, _ value: inout ByteView) {
    if takes(number, name, .bytes) { value = payload }
  }

  mutating func optionalInt(_ number: UInt32, _ name: StaticString, _ value: inout Int?) {
    if takes(number, name, .varint) { value = Int(truncatingIfNeeded: varint) }
  }

  mutating func optionalString(_ number: UInt32, _ name: StaticString, _ value: inout String?) {
    guard takes(number, name, .bytes) else { return }
    guard let text = payload.text else { return fail("is not UTF-8 text", at: start, in: name) }
    value = text
  }

  mutating func ints(_ number: UInt32, _ name: StaticString, _ values: inout [Int]) {
    guard number == self.number, !handled else { return }
    guard kind == .bytes else {
      if takes(number, name, .varint, index: values.count) { values.append(Int(truncatingIfNeeded: varint)) }
      return
    }
    handled = true
    sawPacked = true
    var position = start
    while position < end {
      guard let value = readVarint(&position, before: end) else { return }
      values.append(Int(truncatingIfNeeded: value))
    }
  }

  mutating func floats(_ number: UInt32, _ name: StaticString, _ values: inout [Float]) {
    guard number == self.number, !handled else { return }
    guard kind == .bytes else {
      if takes(number, name, .fixed32, index: values.count) { values.append(Float(bitPattern: fixed32(at: start))) }
      return
    }
    handled = true
    sawPacked = true
    guard (end - start) % 4 == 0 else {
      return fail("packed floats take \(end - start) bytes, no multiple of 4", at: start, in: name)
    }
    for offset in stride(from: start, to: end, by: 4) { values.append(Float(bitPattern: fixed32(at: offset))) }
  }

  mutating func strings(_ number: UInt32, _ name: StaticString, _ values: inout [String]) {
    guard takes(number, name, .bytes, index: values.count) else { return }
    guard let text = payload.text else { return fail("is not UTF-8 text", at: start, in: name, index: values.count) }
    values.append(text)
  }

  mutating func byteRuns(_ number: UInt32, _ name: StaticString, _ values: inout [ByteView]) {
    if takes(number, name, .bytes, index: values.count) { values.append(payload) }
  }

  mutating func numbers(_ number: UInt32, _ name: StaticString, _ values: inout ProtobufNumbers) {
    guard number == self.number, !handled, failure == nil else { return }
    guard kind == .bytes else {
      if takes(number, name, values.coding.wireType) { values.append(payload) }
      return
    }
    handled = true
    sawPacked = true
    let size = end - start
    switch values.coding {
    case .fixed32 where size % 4 != 0: fail("\(size) packed bytes are no multiple of 4", at: start, in: name)
    case .fixed64 where size % 8 != 0: fail("\(size) packed bytes are no multiple of 8", at: start, in: name)
    case .varint: checkVarints(name)
    default: break
    }
    if failure == nil { values.append(payload) }
  }

  /// Packed numbers are decoded later, by code that relies on their being well-formed.
  private mutating func checkVarints(_ name: StaticString) {
    var run = 0
    for offset in start..<end {
      let byte = base.load(fromByteOffset: offset, as: UInt8.self)
      run += 1
      if run == 10, byte > 1 { return fail("a number takes more than 64 bits", at: offset, in: name) }
      if byte < 0x80 { run = 0 }
    }
    if run != 0 { fail("a number does not end inside its field", at: end, in: name) }
  }

  mutating func message<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ value: inout M?) {
    guard takes(number, name, .bytes) else { return }
    // A message that comes twice is merged, as the format demands.
    var message = value ?? M()
    value = nil
    nested(&message, name, index: nil)
    value = message
  }

  mutating func boxed<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ value: inout [M]) {
    guard takes(number, name, .bytes) else { return }
    if value.isEmpty { value.append(M()) }
    nested(&value[0], name, index: nil)
  }

  mutating func messages<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ values: inout [M]) {
    guard takes(number, name, .bytes, index: values.count) else { return }
    values.append(M())
    nested(&values[values.count - 1], name, index: values.count - 1)
  }

  mutating func origin(_ value: inout ModelFile?) { value = messageOrigin }

  /// Reads the payload at hand as a message. The fields of the outer one stay untouched.
  private mutating func nested<M: ProtobufMessage>(_ message: inout M, _ name: StaticString, index: Int?) {
    let outer = number
    budget -= MemoryLayout<M>.stride
    guard budget >= 0 else { return fail("holds more messages than a file of its size has use for", at: start) }
    path.append(Step(name: name, index: index))
    read(&message, from: start, to: end)
    path.removeLast()
    number = outer
    handled = true
    sawPacked = false
  }
}

import Support

/// Writes messages in the order and form that the format's own writers use.
///
/// Large runs of bytes are not copied: the output refers to them until it is written.
struct ProtobufEncoder: ProtobufVisitor {
  private var output = ProtobufOutput()
  private var wire = ProtobufWire()
  private var nextUnknown = 0

  static func encode<M: ProtobufMessage>(_ message: M) -> ProtobufOutput {
    var encoder = ProtobufEncoder()
    encoder.write(message)
    return encoder.output
  }

  private mutating func write<M: ProtobufMessage>(_ message: M) {
    var message = message
    wire = message.wire
    nextUnknown = 0
    message.visit(&self)
    flushUnknown(before: .max)
  }

  /// Unknown fields go where their number puts them.
  private mutating func flushUnknown(before number: UInt32) {
    while nextUnknown < wire.unknown.count, wire.unknown[nextUnknown].number < number {
      output.append(wire.unknown[nextUnknown].bytes)
      nextUnknown += 1
    }
  }

  private mutating func tag(_ number: UInt32, _ kind: ProtobufWireType) {
    flushUnknown(before: number)
    output.varint(UInt64(number) << 3 | UInt64(kind.rawValue))
  }

  private mutating func run(_ number: UInt32, _ text: String) {
    tag(number, .bytes)
    var text = text
    text.withUTF8 { bytes in
      output.varint(UInt64(bytes.count))
      output.append(UnsafeRawBufferPointer(bytes))
    }
  }

  private mutating func run(_ number: UInt32, _ bytes: ByteView) {
    tag(number, .bytes)
    output.varint(UInt64(bytes.count))
    output.append(bytes)
  }

  mutating func int(_ number: UInt32, _ name: StaticString, _ value: inout Int) {
    guard value != 0 || wire.has(number) else { return }
    tag(number, .varint)
    output.varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func int32(_ number: UInt32, _ name: StaticString, _ value: inout Int32) {
    var wide = Int(value)
    int(number, name, &wide)
  }

  mutating func float(_ number: UInt32, _ name: StaticString, _ value: inout Float) {
    // Minus zero is no default.
    guard value.bitPattern != 0 || wire.has(number) else { return }
    tag(number, .fixed32)
    output.fixed32(value.bitPattern)
  }

  mutating func string(_ number: UInt32, _ name: StaticString, _ value: inout String) {
    if !value.isEmpty || wire.has(number) { run(number, value) }
  }

  mutating func text(_ number: UInt32, _ name: StaticString, _ value: inout String) {
    string(number, name, &value)
  }

  mutating func bytes(_ number: UInt32, _ name: StaticString, _ value: inout ByteView) {
    if !value.isEmpty || wire.has(number) { run(number, value) }
  }

  mutating func optionalInt(_ number: UInt32, _ name: StaticString, _ value: inout Int?) {
    guard let value else { return }
    tag(number, .varint)
    output.varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func optionalString(_ number: UInt32, _ name: StaticString, _ value: inout String?) {
    if let value { run(number, value) }
  }

  mutating func ints(_ number: UInt32, _ name: StaticString, _ values: inout [Int]) {
    if wire.isPacked(number) {
      var packed = ProtobufOutput()
      for value in values { packed.varint(UInt64(bitPattern: Int64(value))) }
      tag(number, .bytes)
      output.append(nested: packed)
    } else {
      for value in values {
        tag(number, .varint)
        output.varint(UInt64(bitPattern: Int64(value)))
      }
    }
  }

  mutating func floats(_ number: UInt32, _ name: StaticString, _ values: inout [Float]) {
    if wire.isPacked(number) {
      var packed = ProtobufOutput()
      for value in values { packed.fixed32(value.bitPattern) }
      tag(number, .bytes)
      output.append(nested: packed)
    } else {
      for value in values {
        tag(number, .fixed32)
        output.fixed32(value.bitPattern)
      }
    }
  }

  mutating func strings(_ number: UInt32, _ name: StaticString, _ values: inout [String]) {
    for value in values { run(number, value) }
  }

  mutating func byteRuns(_ number: UInt32, _ name: StaticString, _ values: inout [ByteView]) {
    for value in values { run(number, value) }
  }

  mutating func numbers(_ number: UInt32, _ name: StaticString, _ values: inout ProtobufNumbers) {
    // Packed, as the format declares them, however they came.
    if !values.isEmpty || wire.isPacked(number) { run(number, values.bytes) }
  }

  mutating func message<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ value: inout M?) {
    if let value { nested(number, value) }
  }

  mutating func messages<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ values: inout [M]) {
    for value in values { nested(number, value) }
  }

  mutating func boxed<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ value: inout [M]) {
    if let value = value.first { nested(number, value) }
  }

  mutating func origin(_ value: inout ModelFile?) {}

  private mutating func nested<M: ProtobufMessage>(_ number: UInt32, _ message: M) {
    tag(number, .bytes)
    let inner = ProtobufEncoder.encode(message)
    output.append(nested: inner)
  }
}

import Support

/// A message of a protocol-buffer file, described once for reading and writing.
///
/// `visit` names every field in ascending order of its number, the order in which
/// the format's own writers put them.
public protocol ProtobufMessage: Sendable {
  init()
  var wire: ProtobufWire { get set }
  mutating func visit(_ fields: inout some ProtobufVisitor)
}

/// What a message's values alone do not tell, but its bytes do: needed to write a
/// file back exactly as it was.
public struct ProtobufWire: Sendable, Hashable {
  /// Bit n: field n was in the file, even if it held the default value.
  var present: UInt64 = 0
  /// Bit n: the repeated numbers of field n were packed into one run.
  var packed: UInt64 = 0
  /// Fields that we have no name for, tag included, as they were.
  var unknown: [Unknown] = []

  struct Unknown: Sendable, Hashable {
    var number: UInt32
    var bytes: ByteView
  }

  public init() {}

  public func has(_ number: UInt32) -> Bool { number < 64 && present & (1 << UInt64(number)) != 0 }

  /// States that field `number` is to be written even when it holds the default value.
  public mutating func mark(_ number: UInt32) {
    if number < 64 { present |= 1 << UInt64(number) }
  }

  func isPacked(_ number: UInt32) -> Bool { number < 64 && packed & (1 << UInt64(number)) != 0 }

  mutating func markPacked(_ number: UInt32) {
    if number < 64 { packed |= 1 << UInt64(number) }
  }
}

/// The five ways in which a field's bytes are laid out.
enum ProtobufWireType: UInt8 {
  case varint = 0
  case fixed64 = 1
  case bytes = 2
  case fixed32 = 5

  var name: String {
    switch self {
    case .varint: "a number"
    case .fixed64: "64 bits"
    case .bytes: "a run of bytes"
    case .fixed32: "32 bits"
    }
  }
}

/// Sees each field of a message: the decoder fills in values, the encoder writes them.
public protocol ProtobufVisitor {
  mutating func int(_ number: UInt32, _ name: StaticString, _ value: inout Int)
  mutating func int32(_ number: UInt32, _ name: StaticString, _ value: inout Int32)
  mutating func float(_ number: UInt32, _ name: StaticString, _ value: inout Float)
  /// UTF-8 text that identifies something: other bytes are an error.
  mutating func string(_ number: UInt32, _ name: StaticString, _ value: inout String)
  /// Text for people: bytes that are no UTF-8 are replaced.
  mutating func text(_ number: UInt32, _ name: StaticString, _ value: inout String)
  mutating func bytes(_ number: UInt32, _ name: StaticString, _ value: inout ByteView)

  /// Members of a choice, where absent differs from zero.
  mutating func optionalInt(_ number: UInt32, _ name: StaticString, _ value: inout Int?)
  mutating func optionalString(_ number: UInt32, _ name: StaticString, _ value: inout String?)

  mutating func ints(_ number: UInt32, _ name: StaticString, _ values: inout [Int])
  mutating func floats(_ number: UInt32, _ name: StaticString, _ values: inout [Float])
  mutating func strings(_ number: UInt32, _ name: StaticString, _ values: inout [String])
  mutating func byteRuns(_ number: UInt32, _ name: StaticString, _ values: inout [ByteView])
  /// Long runs of numbers, kept as they are in the file.
  mutating func numbers(_ number: UInt32, _ name: StaticString, _ values: inout ProtobufNumbers)

  mutating func message<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ value: inout M?)
  mutating func messages<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ values: inout [M])
  /// One message or none, in an array: for messages that hold themselves, or are large.
  mutating func boxed<M: ProtobufMessage>(_ number: UInt32, _ name: StaticString, _ value: inout [M])
  /// The file that a message came from, for messages that refer to other files.
  mutating func origin(_ value: inout ModelFile?)
}

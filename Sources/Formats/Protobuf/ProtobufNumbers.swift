import Support

/// A run of numbers as the file spells it, decoded when somebody asks.
///
/// A packed run stays a view of the file. Numbers that come one by one gather in
/// a buffer of our own, which then reads like a packed run.
public struct ProtobufNumbers: Sendable, Hashable {
  public enum Coding: Sendable {
    case varint, fixed32, fixed64

    var wireType: ProtobufWireType {
      switch self {
      case .varint: .varint
      case .fixed32: .fixed32
      case .fixed64: .fixed64
      }
    }
  }

  public let coding: Coding
  private var run: ByteView = .empty
  private var gathered: [UInt8] = []

  public init(_ coding: Coding) { self.coding = coding }

  public init(_ coding: Coding, packed: ByteView) {
    self.coding = coding
    self.run = packed
  }

  public var isEmpty: Bool { run.isEmpty && gathered.isEmpty }
  public var byteCount: Int { gathered.isEmpty ? run.count : gathered.count }

  /// The packed bytes.
  public var bytes: ByteView { gathered.isEmpty ? run : ByteView(copying: gathered) }

  mutating func append(_ more: ByteView) {
    if isEmpty {
      run = more
      return
    }
    if gathered.isEmpty {
      gathered = run.bytes
      run = .empty
    }
    more.withBytes { gathered.append(contentsOf: $0) }
  }

  /// How many numbers there are.
  public var count: Int {
    switch coding {
    case .fixed32: return byteCount / 4
    case .fixed64: return byteCount / 8
    case .varint:
      return bytes.withBytes { raw in
        var count = 0
        for byte in raw where byte < 0x80 { count += 1 }
        return count
      }
    }
  }

  /// Calls `body` with each number of a varint run, in order.
  func forEachVarint(_ body: (UInt64) -> Void) {
    bytes.withBytes { raw in
      var value: UInt64 = 0
      var shift: UInt64 = 0
      for byte in raw {
        if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
        shift += 7
        if byte < 0x80 {
          body(value)
          value = 0
          shift = 0
        }
      }
    }
  }
}

import IR
import Support

/// An op kind with its attributes, as something to hash and compare: equal keys mean equal ops.
public struct AttributeKey: Hashable, Sendable {
  enum Attribute: Hashable, Sendable {
    case int(Int)
    /// By bits: -0.0 is not 0.0, and NaN is itself.
    case float(UInt64)
    case bool(Bool)
    case text(String)
    case ints([Int])
    case dims([Dim])
    case texts([String])
    case element(TensorElement)
    case type(ValueType?)
    case tensor(Tensor?)
  }

  public let mnemonic: String
  let attributes: [Attribute]
  /// Symbols that dims among the attributes mention, and names that might be symbols.
  let symbols: Set<String>

  public init(of kind: any OpKind) {
    mnemonic = kind.mnemonic
    var collector = Collector()
    var copy = kind
    // Reading attributes cannot fail; a visitor that only collects throws nothing.
    try? copy.attributes(&collector)
    attributes = collector.attributes
    symbols = collector.symbols
  }

  public static func == (a: AttributeKey, b: AttributeKey) -> Bool {
    a.mnemonic == b.mnemonic && a.attributes == b.attributes
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(mnemonic)
    hasher.combine(attributes)
  }

  private struct Collector: AttributeVisitor {
    var attributes: [Attribute] = []
    var symbols: Set<String> = []

    mutating func int(_ name: String, _ value: inout Int) { attributes.append(.int(value)) }
    mutating func float(_ name: String, _ value: inout Double) { attributes.append(.float(value.bitPattern)) }
    mutating func bool(_ name: String, _ value: inout Bool) { attributes.append(.bool(value)) }
    mutating func string(_ name: String, _ value: inout String) { attributes.append(.text(value)) }
    mutating func ints(_ name: String, _ value: inout [Int]) { attributes.append(.ints(value)) }
    mutating func dim(_ name: String, _ value: inout Dim) {
      attributes.append(.dims([value]))
      symbols.formUnion(value.symbols)
    }
    mutating func dims(_ name: String, _ value: inout [Dim]) {
      attributes.append(.dims(value))
      for dim in value { symbols.formUnion(dim.symbols) }
    }
    mutating func strings(_ name: String, _ value: inout [String]) { attributes.append(.texts(value)) }
    mutating func element(_ name: String, _ value: inout TensorElement) { attributes.append(.element(value)) }
    mutating func type(_ name: String, _ value: inout ValueType?) {
      attributes.append(.type(value))
      if let value { symbols.formUnion(SymbolUses.symbols(of: value)) }
    }
    mutating func tensor(_ name: String, _ value: inout Tensor?) { attributes.append(.tensor(value)) }
    mutating func reference(_ name: String, _ value: inout String) {
      attributes.append(.text(value))
      symbols.insert(value)
    }
    mutating func references(_ name: String, _ value: inout [String]) {
      attributes.append(.texts(value))
      symbols.formUnion(value)
    }
    mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(
      _ name: String, _ value: inout Choice
    ) where Choice.RawValue == String { attributes.append(.text(value.rawValue)) }
  }
}

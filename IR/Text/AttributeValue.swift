import Support

/// What an attribute holds. Printing, hashing and equality of ops all work on these.
public enum AttributeValue: Hashable, Sendable {
  case int(Int)
  /// The bit pattern: two NaNs may be equal, and the zeros differ.
  case float(UInt64)
  case bool(Bool)
  case string(String)
  case ints([Int])
  case dim(Dim)
  case dims([Dim])
  case strings([String])
  case element(TensorElement)
  case type(ValueType?)
  case tensor(Tensor?)
  case reference(String)
  case references([String])
  case choice(String)
}

/// An attribute with its name.
public struct Attribute: Hashable, Sendable {
  public let name: String
  public let value: AttributeValue
}

/// What makes two ops compute the same from the same operands: for hashing and equality.
public struct OpKey: Hashable, Sendable {
  public let mnemonic: String
  public let attributes: [Attribute]
}

extension OpKind {
  /// Every attribute, defaults included, in the order of the op's visit.
  public var attributeList: [Attribute] {
    var copy = self
    var collector = AttributeCollector()
    // The collector reads and never throws; an op that checks while it is visited has been checked when it was made.
    try? copy.attributes(&collector)
    return collector.attributes
  }

  /// The attributes that differ from a fresh op's.
  public var writtenAttributes: [Attribute] {
    let defaults = Set(Self(mnemonic: mnemonic).attributeList)
    return attributeList.filter { !defaults.contains($0) }
  }

  public var key: OpKey { OpKey(mnemonic: mnemonic, attributes: attributeList) }

  /// `conv {padding = [1, 1, 1, 1]}`: the op without operands and types.
  public var text: String { mnemonic + attributeText }

  /// ` {padding = [1, 1, 1, 1]}`, or nothing when every attribute has its default.
  var attributeText: String {
    let written = writtenAttributes
    if written.isEmpty { return "" }
    return " {" + written.map(\.description).joined(separator: ", ") + "}"
  }
}

/// The visitor that reads attributes out.
struct AttributeCollector: AttributeVisitor {
  private(set) var attributes: [Attribute] = []

  private mutating func add(_ name: String, _ value: AttributeValue) {
    attributes.append(Attribute(name: name, value: value))
  }

  mutating func int(_ name: String, _ value: inout Int) { add(name, .int(value)) }
  mutating func float(_ name: String, _ value: inout Double) { add(name, .float(value.bitPattern)) }
  mutating func bool(_ name: String, _ value: inout Bool) { add(name, .bool(value)) }
  mutating func string(_ name: String, _ value: inout String) { add(name, .string(value)) }
  mutating func ints(_ name: String, _ value: inout [Int]) { add(name, .ints(value)) }
  mutating func dim(_ name: String, _ value: inout Dim) { add(name, .dim(value)) }
  mutating func dims(_ name: String, _ value: inout [Dim]) { add(name, .dims(value)) }
  mutating func strings(_ name: String, _ value: inout [String]) { add(name, .strings(value)) }
  mutating func element(_ name: String, _ value: inout TensorElement) { add(name, .element(value)) }
  mutating func type(_ name: String, _ value: inout ValueType?) { add(name, .type(value)) }
  mutating func tensor(_ name: String, _ value: inout Tensor?) { add(name, .tensor(value)) }
  mutating func reference(_ name: String, _ value: inout String) { add(name, .reference(value)) }
  mutating func references(_ name: String, _ value: inout [String]) { add(name, .references(value)) }
  mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(_ name: String, _ value: inout Choice)
  where Choice.RawValue == String {
    add(name, .choice(value.rawValue))
  }
}

extension Attribute: CustomStringConvertible {
  /// `axis = 1`; a true flag is its name alone.
  public var description: String { value == .bool(true) ? name : "\(name) = \(value)" }
}

extension AttributeValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .int(let value): "\(value)"
    case .float(let bits): NumberText.text(Double(bitPattern: bits))
    case .bool(let value): "\(value)"
    case .string(let value): MIRName.quoted(value)
    case .ints(let values): Self.list(values.map(\.description))
    case .dim(let value): value.description
    case .dims(let values): Self.list(values.map(\.description))
    case .strings(let values): Self.list(values.map(MIRName.quoted))
    case .element(let value): value.description
    case .type(let value): value?.description ?? "none"
    case .tensor(let value): value.map { "\($0.type) \(TensorText.literal($0))" } ?? "none"
    case .reference(let name): "@" + MIRName.sigiled(name)
    case .references(let names): Self.list(names.map { "@" + MIRName.sigiled($0) })
    case .choice(let word): word
    }
  }

  private static func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }
}

import Support

/// What an op is: its name, attributes, typing rule and meaning.
///
/// One conforming struct a file, in `IR/Ops/<Family>/`. Its stored properties are
/// its attributes; `attributes` visits them, and printing, parsing, hashing and
/// equality all follow from that one visit.
public protocol OpKind: Sendable {
  /// The names this kind answers to. One for most ops; a family of functions (add, mul, ...) lists them all.
  static var mnemonics: [String] { get }
  static var operands: [OperandSpec] { get }
  /// Names of the regions, in order; empty for most ops.
  static var regions: [String] { get }
  /// How many results; nil when it depends on the op's attributes or regions.
  static var resultCount: Int? { get }

  /// A kind with default attributes.
  init(mnemonic: String)
  var mnemonic: String { get }
  var effects: Effects { get }

  mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic)

  /// The types of the results. Checks the operands too: what it returns is well-formed.
  func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact]

  /// The types a region's arguments get, before its body is known.
  func regionArguments(
    _ inputs: [ValueFact], region: Int, in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact]

  /// The meaning, naively. Float reductions accumulate in f64.
  func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value]
}

extension OpKind {
  public static var regions: [String] { [] }
  public static var resultCount: Int? { 1 }
  public var mnemonic: String { Self.mnemonics[0] }
  public var signature: [OperandSpec] { Self.operands }
  public var regionNames: [String] { Self.regions }
  public var effects: Effects { .none }
  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {}
  public func regionArguments(
    _ inputs: [ValueFact], region: Int, in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] { [] }
}

/// One operand in an op's signature.
public struct OperandSpec: Sendable {
  public enum Multiplicity: Sendable { case one, optional, many }
  public let name: String
  public let elements: ElementClass
  public let multiplicity: Multiplicity

  public init(_ name: String, _ elements: ElementClass = .any, _ multiplicity: Multiplicity = .one) {
    self.name = name
    self.elements = elements
    self.multiplicity = multiplicity
  }
}

/// Which element types an operand takes.
public enum ElementClass: String, Sendable {
  /// Any value at all, tensors, sequences and optionals alike.
  case any
  /// Any tensor.
  case tensor
  case float, integer, bool, number, string
  /// Integer or float, plain or quantized.
  case stored
  /// Tensors of block types.
  case block

  public func accepts(_ type: ValueType) -> Bool {
    guard case .tensor(let tensor) = type else { return self == .any }
    switch self {
    case .any, .tensor: return true
    case .float: return tensor.plain?.isFloat ?? false
    case .integer: return tensor.plain?.isInteger ?? false
    case .bool: return tensor.plain == .bool
    case .number: return tensor.plain.map { $0.isFloat || $0.isInteger } ?? false
    case .string: return tensor.plain == .string
    case .stored: return tensor.element.storage.map { $0.isFloat || $0.isInteger } ?? false
    case .block: if case .block = tensor.element { return true } else { return false }
    }
  }
}

/// What an op does besides computing its results.
public struct Effects: Hashable, Sendable {
  public var readsState: String?
  public var writesState: String?
  /// Ops in regions may have effects of their own.
  public static let none = Effects()
  public init(reads: String? = nil, writes: String? = nil) {
    readsState = reads
    writesState = writes
  }
  public var isPure: Bool { readsState == nil && writesState == nil }
}

/// Visits every attribute of an op under its name. Printing reads, parsing writes.
/// Attributes equal to their defaults are left out of the text.
public protocol AttributeVisitor {
  mutating func int(_ name: String, _ value: inout Int) throws(Diagnostic)
  mutating func float(_ name: String, _ value: inout Double) throws(Diagnostic)
  mutating func bool(_ name: String, _ value: inout Bool) throws(Diagnostic)
  mutating func string(_ name: String, _ value: inout String) throws(Diagnostic)
  mutating func ints(_ name: String, _ value: inout [Int]) throws(Diagnostic)
  mutating func dim(_ name: String, _ value: inout Dim) throws(Diagnostic)
  mutating func dims(_ name: String, _ value: inout [Dim]) throws(Diagnostic)
  mutating func strings(_ name: String, _ value: inout [String]) throws(Diagnostic)
  mutating func element(_ name: String, _ value: inout TensorElement) throws(Diagnostic)
  mutating func type(_ name: String, _ value: inout ValueType?) throws(Diagnostic)
  mutating func tensor(_ name: String, _ value: inout Tensor?) throws(Diagnostic)
  /// A name in the module: a state, a function, a fresh symbol.
  mutating func reference(_ name: String, _ value: inout String) throws(Diagnostic)
  mutating func references(_ name: String, _ value: inout [String]) throws(Diagnostic)
  /// One of a fixed set of words.
  mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(
    _ name: String, _ value: inout Choice
  ) throws(Diagnostic) where Choice.RawValue == String
}

/// What typing may ask about the module around an op.
public struct InferenceContext: Sendable {
  public var symbols: [String: ClosedRange<Int>]
  public var states: [String: ValueType]
  public var quantizations: [String: QuantizationParameters]
  /// Equalities that hold only if the run-time dims say so: each becomes a check that returns a status.
  public private(set) var guards: [DimGuard] = []

  public init(
    symbols: [String: ClosedRange<Int>] = [:], states: [String: ValueType] = [:],
    quantizations: [String: QuantizationParameters] = [:]
  ) {
    self.symbols = symbols
    self.states = states
    self.quantizations = quantizations
  }

  /// Demands `a == b`: proved, refuted with `message`, or left to a guard.
  public mutating func require(
    _ a: Dim, equals b: Dim, _ message: @autoclosure () -> String
  ) throws(Diagnostic) {
    switch a.equals(b, symbols) {
    case true?: return
    case false?: throw .invalid("\(message()): \(a) is not \(b)")
    case nil:
      let guardian = DimGuard(a, b)
      if !guards.contains(guardian) { guards.append(guardian) }
    }
  }
}

/// Two dims that must be equal at run time.
public struct DimGuard: Hashable, Sendable {
  public var left: Dim
  public var right: Dim
  public init(_ left: Dim, _ right: Dim) {
    self.left = left
    self.right = right
  }
}

/// The signature of a region, for the op that owns it.
public struct RegionFact: Sendable {
  public var arguments: [ValueFact]
  public var results: [ValueFact]
  public init(arguments: [ValueFact], results: [ValueFact]) {
    self.arguments = arguments
    self.results = results
  }
}

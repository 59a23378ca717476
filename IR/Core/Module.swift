import Support

/// A whole model: entries, functions, the state they share, weights and symbols.
public struct Module: Sendable {
  public var name: String
  /// Every symbol of the module's dims with its range, in order of declaration.
  public private(set) var symbols: [Symbol] = []
  public private(set) var weights: [Weight] = []
  public private(set) var states: [StateDeclaration] = []
  public private(set) var quantizations: [(name: String, parameters: QuantizationParameters)] = []
  public var functions: [Function] = []
  private var weightNumbers: [String: Int] = [:]
  private var symbolNumbers: [String: Int] = [:]

  public init(name: String) { self.name = name }

  public var entries: [Function] { functions.filter(\.isEntry) }
  public func function(_ name: String) -> Function? { functions.first { $0.name == name } }

  /// Declares a symbol; a second declaration narrows the range.
  public mutating func declare(symbol name: String, in range: ClosedRange<Int>) {
    if let number = symbolNumbers[name] {
      let old = symbols[number].range
      let low = max(old.lowerBound, range.lowerBound)
      symbols[number].range = low...max(low, min(old.upperBound, range.upperBound))
    } else {
      symbolNumbers[name] = symbols.count
      symbols.append(Symbol(name: name, range: range))
    }
  }

  /// A name no symbol has yet: `base`, `base1`, `base2`, ...
  public func freshSymbol(_ base: String) -> String { Module.fresh(base) { symbolNumbers[$0] != nil } }

  public mutating func replaceSymbols(_ kept: [Symbol]) {
    symbols = kept
    symbolNumbers = Dictionary(kept.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
  }

  /// Adds a weight; its name must be new.
  public mutating func add(_ weight: Weight) {
    precondition(weightNumbers[weight.name] == nil, "a weight \(weight.name) exists")
    weightNumbers[weight.name] = weights.count
    weights.append(weight)
  }
  public func weight(_ name: String) -> Weight? { weightNumbers[name].map { weights[$0] } }
  public func freshWeight(_ base: String) -> String { Module.fresh(base) { weightNumbers[$0] != nil } }

  /// Keeps the weights for which `isNeeded`, in order.
  public mutating func filterWeights(_ isNeeded: (Weight) -> Bool) {
    weights = weights.filter(isNeeded)
    weightNumbers = Dictionary(weights.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
  }

  public mutating func add(_ state: StateDeclaration) { states.append(state) }
  public func state(_ name: String) -> StateDeclaration? { states.first { $0.name == name } }

  /// The name of these parameters, interned.
  public mutating func intern(_ parameters: QuantizationParameters) -> String {
    if let known = quantizations.first(where: { $0.parameters == parameters }) { return known.name }
    let name = Module.fresh("q") { candidate in quantizations.contains { $0.name == candidate } }
    quantizations.append((name, parameters))
    return name
  }
  public mutating func declare(quantization name: String, _ parameters: QuantizationParameters) {
    quantizations.append((name, parameters))
  }
  public func quantization(_ name: String) -> QuantizationParameters? {
    quantizations.first { $0.name == name }?.parameters
  }

  /// What typing may know of this module.
  public var inferenceContext: InferenceContext {
    InferenceContext(
      symbols: Dictionary(symbols.map { ($0.name, $0.range) }, uniquingKeysWith: { a, _ in a }),
      states: Dictionary(states.map { ($0.name, $0.type) }, uniquingKeysWith: { a, _ in a }),
      quantizations: Dictionary(quantizations.map { ($0.name, $0.parameters) }, uniquingKeysWith: { a, _ in a }))
  }

  private static func fresh(_ base: String, taken: (String) -> Bool) -> String {
    if !taken(base) { return base }
    var number = 1
    while taken("\(base)\(number)") { number += 1 }
    return "\(base)\(number)"
  }
}

public struct Symbol: Hashable, Sendable {
  public var name: String
  public var range: ClosedRange<Int>
  public init(name: String, range: ClosedRange<Int>) {
    self.name = name
    self.range = range
  }
}

/// A constant too large for the text: a view of the source file or of a folded buffer.
public struct Weight: Sendable {
  public var name: String
  public var tensor: Tensor
  /// Where it came from and what was done to it, for people: `onnx:fc.w, transposed`.
  public var origin: String?
  public var type: ValueType { .tensor(tensor.type) }
  public init(name: String, tensor: Tensor, origin: String? = nil) {
    self.name = name
    self.tensor = tensor
    self.origin = origin
  }
}

/// Memory that outlives a run: a cache, a recurrent state, a variable. Starts as zeros, or as `initial` (a weight's name).
public struct StateDeclaration: Hashable, Sendable {
  public var name: String
  public var type: ValueType
  public var initial: String?
  public init(name: String, type: ValueType, initial: String? = nil) {
    self.name = name
    self.type = type
    self.initial = initial
  }
}

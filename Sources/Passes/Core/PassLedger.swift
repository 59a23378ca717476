/// What a run of passes keeps count of across passes: fuel, growth and reasons.
public struct PassLedger: Sendable {
  /// Rewrites still permitted; nil for no limit.
  public private(set) var fuel: Int?
  public private(set) var rewrites = 0
  public private(set) var lastRewrite: Rewrite?
  public let explains: Bool
  public private(set) var explanations: [Explanation] = []
  /// Explanations beyond the limit.
  public private(set) var unrecorded = 0
  /// Bytes of weights that passes added.
  public private(set) var grown = 0
  /// Multiply-adds spent on folding.
  public private(set) var work = 0
  private var known: Set<Explanation> = []
  private let limit: Int

  public init(fuel: Int? = nil, explains: Bool = false, limits: PassLimits = PassLimits()) {
    self.fuel = fuel
    self.explains = explains
    limit = limits.explanations
  }

  mutating func consume() -> Bool {
    if let left = fuel {
      guard left > 0 else { return false }
      fuel = left - 1
    }
    rewrites += 1
    return true
  }

  mutating func grow(by bytes: Int, limit: Int) -> Bool {
    guard bytes <= limit - grown else { return false }
    grown += bytes
    return true
  }

  mutating func spend(_ amount: Int, limit: Int) -> Bool {
    guard amount <= limit - work else { return false }
    work += amount
    return true
  }

  mutating func fired(
    _ pass: String, _ pattern: String, _ function: String, _ mnemonic: String, _ locations: [String]
  ) {
    // A source name list grows with fusion; keeping the last rewrite costs a retain, no copy.
    lastRewrite = Rewrite(
      number: rewrites, pass: pass, pattern: pattern, function: function, mnemonic: mnemonic, locations: locations)
    guard explains else { return }
    record(
      Explanation(
        pass: pass, pattern: pattern, outcome: .fired, function: function, mnemonic: mnemonic, locations: locations))
  }

  mutating func missed(
    _ pass: String, _ pattern: String, _ function: String, _ mnemonic: String, _ locations: [String], _ reason: String
  ) {
    let explanation = Explanation(
      pass: pass, pattern: pattern, outcome: .missed(reason), function: function, mnemonic: mnemonic,
      locations: locations)
    // A worklist comes by more than once; a miss is told once.
    if known.insert(explanation).inserted { record(explanation) }
  }

  private mutating func record(_ explanation: Explanation) {
    if explanations.count < limit { explanations.append(explanation) } else { unrecorded += 1 }
  }
}

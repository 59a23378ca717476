/// An integer expression over named symbols: the extent of an axis.
///
/// Kept canonical (a sorted sum of products), so that equality of expressions is
/// equality of values wherever algebra can tell: `2 * n + n == 3 * n`.
/// Dims come from files, so arithmetic neither traps nor grows without bound: what overflows, or would have more than
/// `sizeLimit` parts, becomes `overflow`, which stays what it is and which the verifier rejects.
public struct Dim: Hashable, Sendable {
  /// Products with non-zero coefficients, sorted by their factors; the constant has none and comes first.
  private(set) var terms: [Term]

  struct Term: Hashable, Sendable {
    var coefficient: Int
    var factors: [Factor]
  }

  /// What a product is made of.
  public indirect enum Factor: Hashable, Sendable {
    case symbol(String)
    case floordiv(Dim, Dim)
    case ceildiv(Dim, Dim)
    case mod(Dim, Dim)
    case min(Dim, Dim)
    case max(Dim, Dim)

    fileprivate var key: String {
      switch self {
      case .symbol: description
      default: "~" + description
      }
    }
  }

  public init(_ constant: Int) { terms = constant == 0 ? [] : [Term(coefficient: constant, factors: [])] }
  public init(symbol: String) { terms = [Term(coefficient: 1, factors: [.symbol(symbol)])] }
  private init(_ factor: Factor) {
    self.init(terms: [Term(coefficient: 1, factors: [factor])])
    if !hasAtMost(Dim.sizeLimit) { self = .overflow }
  }
  private init(terms: [Term]) { self.terms = terms }

  public static func symbol(_ name: String) -> Dim { Dim(symbol: name) }

  /// The value, when it does not depend on a symbol.
  public var constant: Int? {
    if terms.isEmpty { return 0 }
    return terms.count == 1 && terms[0].factors.isEmpty ? terms[0].coefficient : nil
  }

  /// The name, when this is one symbol and nothing else.
  public var symbolName: String? {
    guard terms.count == 1, terms[0].coefficient == 1, terms[0].factors.count == 1,
      case .symbol(let name) = terms[0].factors[0]
    else { return nil }
    return name
  }

  /// Every symbol in the expression.
  public var symbols: Set<String> {
    var result: Set<String> = []
    collectSymbols(&result)
    return result
  }

  private func collectSymbols(_ result: inout Set<String>) {
    for term in terms {
      for factor in term.factors {
        switch factor {
        case .symbol(let name): result.insert(name)
        case .floordiv(let a, let b), .ceildiv(let a, let b), .mod(let a, let b), .min(let a, let b),
          .max(let a, let b):
          a.collectSymbols(&result)
          b.collectSymbols(&result)
        }
      }
    }
  }
}

// MARK: Arithmetic

extension Dim {
  public static func + (a: Dim, b: Dim) -> Dim {
    var byFactors: [[Factor]: Int] = [:]
    for term in a.terms + b.terms {
      byFactors[term.factors] = sum(byFactors[term.factors] ?? 0, term.coefficient)
    }
    return Dim(collecting: byFactors)
  }

  public static func - (a: Dim, b: Dim) -> Dim { a + b * Dim(-1) }

  public static func * (a: Dim, b: Dim) -> Dim {
    if let x = a.constant, let y = b.constant { return Dim(product(x, y)) }
    guard a.terms.count * b.terms.count <= sizeLimit else { return .overflow }
    var byFactors: [[Factor]: Int] = [:]
    for x in a.terms {
      for y in b.terms {
        let factors =
          x.factors.isEmpty || y.factors.isEmpty
          ? x.factors + y.factors : (x.factors + y.factors).sorted { $0.key < $1.key }
        byFactors[factors] = sum(byFactors[factors] ?? 0, product(x.coefficient, y.coefficient))
      }
    }
    return Dim(collecting: byFactors)
  }

  public static func + (a: Dim, b: Int) -> Dim { a + Dim(b) }
  public static func - (a: Dim, b: Int) -> Dim { a - Dim(b) }
  public static func * (a: Dim, b: Int) -> Dim { a * Dim(b) }

  /// Rounded towards minus infinity. A zero divisor stays as written; the verifier rejects it.
  public func floorDivided(by divisor: Dim) -> Dim {
    if let exact = exactlyDivided(by: divisor) { return exact }
    if let x = constant, let y = divisor.constant, y != 0, x != Int.min { return Dim(Dim.floorDivide(x, y)) }
    let (multiple, rest) = split(by: divisor)
    return multiple + (rest.terms.isEmpty ? Dim(0) : rest.residualFloor(divisor))
  }

  private func residualFloor(_ divisor: Dim) -> Dim {
    if let x = constant, let y = divisor.constant, y != 0, x != Int.min { return Dim(Dim.floorDivide(x, y)) }
    return Dim(.floordiv(self, divisor))
  }

  public func ceilDivided(by divisor: Dim) -> Dim {
    if let exact = exactlyDivided(by: divisor) { return exact }
    let (multiple, rest) = split(by: divisor)
    if let x = rest.constant, let y = divisor.constant, y != 0, x != Int.min {
      return multiple + Dim(-Dim.floorDivide(-x, y))
    }
    return multiple + Dim(.ceildiv(rest, divisor))
  }

  /// The remainder with the divisor's sign.
  public func modulo(_ divisor: Dim) -> Dim {
    if exactlyDivided(by: divisor) != nil { return Dim(0) }
    let rest = split(by: divisor).rest
    if let x = rest.constant, let y = divisor.constant, y != 0, x != Int.min {
      let remainder = x % y
      return Dim(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder)
    }
    return Dim(.mod(rest, divisor))
  }

  public static func minimum(_ a: Dim, _ b: Dim) -> Dim {
    if let difference = (a - b).constant { return difference <= 0 ? a : b }
    let (x, y) = ordered(a, b)
    return Dim(.min(x, y))
  }

  public static func maximum(_ a: Dim, _ b: Dim) -> Dim {
    if let difference = (a - b).constant { return difference >= 0 ? a : b }
    let (x, y) = ordered(a, b)
    return Dim(.max(x, y))
  }

  /// The quotient, when the divisor is a product that divides every term.
  public func exactlyDivided(by divisor: Dim) -> Dim? {
    guard divisor.terms.count == 1 else { return self == divisor && !divisor.terms.isEmpty ? Dim(1) : nil }
    let by = divisor.terms[0]
    var result: [Term] = []
    for term in terms {
      guard let quotient = Dim.divide(term, by) else { return nil }
      result.append(quotient)
    }
    return Dim(collecting: Dictionary(result.map { ($0.factors, $0.coefficient) }, uniquingKeysWith: Dim.sum))
  }

  /// The terms the divisor divides, divided, and the rest as it is.
  private func split(by divisor: Dim) -> (multiple: Dim, rest: Dim) {
    guard divisor.terms.count == 1 else { return (Dim(0), self) }
    var multiple: [Term] = []
    var rest: [Term] = []
    for term in terms {
      if let quotient = Dim.divide(term, divisor.terms[0]) { multiple.append(quotient) } else { rest.append(term) }
    }
    // A constant beside symbols splits too: (4n + 7) / 4 = n + 1 + (3 / 4).
    if let index = rest.firstIndex(where: { $0.factors.isEmpty }), let by = divisor.constant, by > 0 {
      let value = rest[index].coefficient
      let quotient = Dim.floorDivide(value, by)
      if quotient != 0 {
        multiple.append(Term(coefficient: quotient, factors: []))
        rest[index].coefficient = value - by * quotient
        if rest[index].coefficient == 0 { rest.remove(at: index) }
      }
    }
    return (
      Dim(collecting: Dictionary(multiple.map { ($0.factors, $0.coefficient) }, uniquingKeysWith: Dim.sum)),
      Dim(terms: rest)
    )
  }

  private static func divide(_ term: Term, _ by: Term) -> Term? {
    guard by.coefficient != 0, by.coefficient != -1, term.coefficient % by.coefficient == 0 else { return nil }
    var factors = term.factors
    for factor in by.factors {
      guard let index = factors.firstIndex(of: factor) else { return nil }
      factors.remove(at: index)
    }
    return Term(coefficient: term.coefficient / by.coefficient, factors: factors)
  }

  private init(collecting byFactors: [[Factor]: Int]) {
    let kept = byFactors.filter { $0.value != 0 }.map { Term(coefficient: $0.value, factors: $0.key) }
    terms = kept.count < 2 ? kept : kept.sorted { Dim.key($0) < Dim.key($1) }
    if !hasAtMost(Dim.sizeLimit) || kept.contains(where: { $0.coefficient == Dim.overflowed }) { self = .overflow }
  }

  private static func key(_ term: Term) -> String { term.factors.map(\.key).joined(separator: "*") }

  private static func ordered(_ a: Dim, _ b: Dim) -> (Dim, Dim) { a.description <= b.description ? (a, b) : (b, a) }

  /// More symbols, numbers and functions than any model's dims have.
  static let sizeLimit = 128

  /// What arithmetic gives that left the 64 bits or the size limit.
  public static let overflow = Dim(overflowed)
  private static let overflowed = Int.max - 1

  /// True when some part is not known because it overflowed.
  public var hasOverflowed: Bool { constant == Dim.overflowed }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    if a == overflowed || b == overflowed { return overflowed }
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? overflowed : value
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    if a == overflowed || b == overflowed { return overflowed }
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? overflowed : value
  }

  /// Saturating, for intervals and values.
  static func add(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? (a < 0 ? -Int.max : Int.max) : value
  }

  public static func multiply(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? ((a < 0) == (b < 0) ? Int.max : -Int.max) : value
  }

  static func floorDivide(_ a: Int, _ b: Int) -> Int {
    if a == Int.min && b == -1 { return Int.max }
    let quotient = a / b
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient
  }
}

// MARK: Text

extension Dim: CustomStringConvertible, ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }

  /// `4 * n + 3`, `floordiv(n, 2)`: what the parser of `.mir` reads back.
  public var description: String {
    if terms.isEmpty { return "0" }
    var text = ""
    // Symbols first reads better: `n + 1`, though the constant sorts first.
    let ordered = terms.filter { !$0.factors.isEmpty } + terms.filter { $0.factors.isEmpty }
    for (index, term) in ordered.enumerated() {
      let negative = term.coefficient < 0
      if index > 0 { text += negative ? " - " : " + " } else if negative { text += "-" }
      let magnitude = term.coefficient.magnitude
      if term.factors.isEmpty {
        text += "\(magnitude)"
      } else {
        if magnitude != 1 { text += "\(magnitude) * " }
        text += term.factors.map(\.description).joined(separator: " * ")
      }
    }
    return text
  }
}

extension Dim.Factor: CustomStringConvertible {
  public var description: String {
    switch self {
    case .symbol(let name): MIRName.symbol(name)
    case .floordiv(let a, let b): "floordiv(\(a), \(b))"
    case .ceildiv(let a, let b): "ceildiv(\(a), \(b))"
    case .mod(let a, let b): "mod(\(a), \(b))"
    case .min(let a, let b): "min(\(a), \(b))"
    case .max(let a, let b): "max(\(a), \(b))"
    }
  }
}

extension Dim {
  /// The expression as a program in some other language: `constant`, `symbol` and `combine` build it.
  public func build<Node>(
    constant: (Int) -> Node, symbol: (String) -> Node, combine: (Operator, Node, Node) -> Node
  ) -> Node {
    var sum: Node?
    for term in terms {
      var product: Node? = term.coefficient == 1 && !term.factors.isEmpty ? nil : constant(term.coefficient)
      for factor in term.factors {
        func pair(_ operation: Operator, _ a: Dim, _ b: Dim) -> Node {
          combine(
            operation, a.build(constant: constant, symbol: symbol, combine: combine),
            b.build(constant: constant, symbol: symbol, combine: combine))
        }
        let node =
          switch factor {
          case .symbol(let name): symbol(name)
          case .floordiv(let a, let b): pair(.floordiv, a, b)
          case .ceildiv(let a, let b): pair(.ceildiv, a, b)
          case .mod(let a, let b): pair(.mod, a, b)
          case .min(let a, let b): pair(.min, a, b)
          case .max(let a, let b): pair(.max, a, b)
          }
        product = product.map { combine(.multiply, $0, node) } ?? node
      }
      if let product { sum = sum.map { combine(.add, $0, product) } ?? product }
    }
    return sum ?? constant(0)
  }

  public enum Operator: String, Sendable { case add, multiply, floordiv, ceildiv, mod, min, max }
}

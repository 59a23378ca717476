import Support

/// Reads what occurs everywhere in `.mir`: numbers, dims, types, tensors.
public struct Reader: Sendable {
  public var cursor: Cursor
  /// What dims and types may name.
  var symbols: Set<String> = []
  var quantizations: Set<String> = []
  /// Whether they may name anything: for texts whose names are looked at as a whole later.
  private let takesAnyName: Bool
  /// How deep the text may nest: recursion follows nesting, and a stack is finite.
  private var depth = 0
  static let depthLimit = 100

  public init(_ cursor: Cursor, takesAnyName: Bool = false) {
    self.cursor = cursor
    self.takesAnyName = takesAnyName
  }

  public mutating func enter() throws(Diagnostic) {
    depth += 1
    guard depth <= Reader.depthLimit else { throw cursor.error("the text nests deeper than \(Reader.depthLimit)") }
  }
  public mutating func leave() { depth -= 1 }

  /// Items between brackets, separated by commas.
  public mutating func list(
    _ open: Token.Mark, _ close: Token.Mark, _ what: String,
    _ item: (inout Reader) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    try cursor.expect(open, "before \(what)")
    if try cursor.take(close) { return }
    repeat { try item(&self) } while try cursor.take(.comma)
    try cursor.expect(close, "after \(what)")
  }

  // MARK: Numbers

  public mutating func int(_ what: @autoclosure () -> String) throws(Diagnostic) -> Int {
    let start = cursor.token.start
    let sign = try cursor.take(.minus) ? "-" : ""
    guard cursor.token.kind == .number else {
      throw cursor.error("expected \(what()), found \(cursor.shown)", at: start)
    }
    guard let value = Int(sign + cursor.text) else {
      throw cursor.error("expected \(what()), \(sign)\(cursor.text) is no 64-bit integer", at: start)
    }
    try cursor.advance()
    return value
  }

  mutating func double(_ what: @autoclosure () -> String) throws(Diagnostic) -> Double {
    try number(what(), Double.init(_:)) { Double(bitPattern: $0) }
  }

  /// Rounded once, from the text: reading a double first could round twice.
  mutating func float(_ what: @autoclosure () -> String) throws(Diagnostic) -> Float {
    try number(what(), Float.init(_:)) { UInt32(exactly: $0).map { Float(bitPattern: $0) } }
  }

  private mutating func number<Number: BinaryFloatingPoint>(
    _ what: String, _ parse: (String) -> Number?, _ bits: (UInt64) -> Number?
  ) throws(Diagnostic) -> Number {
    let start = cursor.token.start
    let isNegative = try cursor.take(.minus)
    var value: Number?
    if cursor.token.kind == .number, !cursor.text.hasPrefix("0x") {
      value = parse(cursor.text)
    } else if cursor.isWord("inf") {
      value = .infinity
    } else if cursor.isWord("nan"), !isNegative {
      value = .nan
      try cursor.advance()
      guard try cursor.take(.openParenthesis) else { return .nan }
      let pattern = cursor.text.hasPrefix("0x") ? UInt64(cursor.text.dropFirst(2), radix: 16) : nil
      guard let value = pattern.flatMap(bits), value.isNaN else {
        throw cursor.error("expected the bits of a NaN, found \(cursor.shown)")
      }
      try cursor.advance()
      try cursor.expect(.closeParenthesis, "after the bits of a NaN")
      return value
    }
    guard let value else { throw cursor.error("expected \(what), found \(cursor.shown)", at: start) }
    try cursor.advance()
    return isNegative ? -value : value
  }

  // MARK: Dims

  public mutating func dim() throws(Diagnostic) -> Dim {
    try enter()
    defer { leave() }
    var sum = try product(isNegative: try cursor.take(.minus))
    while true {
      if try cursor.take(.plus) {
        sum = sum + (try product(isNegative: try cursor.take(.minus)))
      } else if try cursor.take(.minus) {
        sum = sum + (try product(isNegative: true))
      } else {
        return sum
      }
    }
  }

  /// The sign belongs to a literal that follows, so that the least integer reads back.
  private mutating func product(isNegative: Bool) throws(Diagnostic) -> Dim {
    var result: Dim
    if cursor.token.kind == .number {
      guard let value = Int((isNegative ? "-" : "") + cursor.text) else {
        throw cursor.error("\(cursor.text) is no 64-bit integer")
      }
      try cursor.advance()
      result = Dim(value)
    } else {
      result = try factor()
      if isNegative { result = result * Dim(-1) }
    }
    while try cursor.take(.star) { result = result * (try factor()) }
    return result
  }

  private mutating func factor() throws(Diagnostic) -> Dim {
    switch cursor.token.kind {
    case .number:
      return Dim(try int("an extent"))
    case .mark(.openParenthesis):
      try cursor.advance()
      let inner = try dim()
      try cursor.expect(.closeParenthesis, "after the expression")
      return inner
    case .symbol:
      let start = cursor.token.start
      return try symbol(try cursor.quotedSymbol(), at: start)
    case .word:
      let start = cursor.token.start
      let name = try cursor.word("a symbol")
      guard cursor.token.kind == .mark(.openParenthesis) else { return try symbol(name, at: start) }
      guard let function = DimFunction(rawValue: name) else {
        let hint = closest(to: name, among: DimFunction.allCases.map(\.rawValue)).map { "did you mean \($0)?" }
        throw cursor.error("dims have no function \(name)", at: start, hint: hint)
      }
      try cursor.advance()
      let a = try dim()
      try cursor.expect(.comma, "between the arguments of \(name)")
      let b = try dim()
      try cursor.expect(.closeParenthesis, "after the arguments of \(name)")
      return function.apply(a, b)
    default: throw cursor.error("expected an extent, found \(cursor.shown)")
    }
  }

  func knowsQuantization(_ name: String) -> Bool { takesAnyName || quantizations.contains(name) }

  private func symbol(_ name: String, at start: Int) throws(Diagnostic) -> Dim {
    guard takesAnyName || symbols.contains(name) else {
      let hint = closest(to: name, among: symbols).map { "did you mean \($0)?" }
      throw cursor.error("there is no symbol \(MIRName.symbol(name))", at: start, hint: hint)
    }
    return Dim(symbol: name)
  }

  private enum DimFunction: String, CaseIterable {
    case floordiv, ceildiv, mod, min, max

    func apply(_ a: Dim, _ b: Dim) -> Dim {
      switch self {
      case .floordiv: a.floorDivided(by: b)
      case .ceildiv: a.ceilDivided(by: b)
      case .mod: a.modulo(b)
      case .min: Dim.minimum(a, b)
      case .max: Dim.maximum(a, b)
      }
    }
  }
}

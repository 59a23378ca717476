import Support

/// A regular expression in the syntax of RE2, without flags and classes of Unicode properties.
///
/// `\d`, `\w`, `\s` and `\b` are about ASCII; `.` is any character but a line feed. How greedy a repetition is makes no
/// difference to whether a text matches as a whole.
public struct Pattern: Sendable {
  enum Assertion: Sendable { case start, end, boundary, noBoundary }

  indirect enum Node: Sendable {
    case characters([ClosedRange<UInt32>])
    case assertion(Assertion)
    case sequence([Node])
    case choice([Node])
    case repeated(Node, least: Int, most: Int?)
  }

  let root: Node

  public init(_ text: String) throws(Diagnostic) {
    var parser = PatternParser(text)
    root = try parser.parse()
  }
}

/// Sets of characters as ascending ranges that do not touch.
enum CharacterRanges {
  static let last: UInt32 = 0x10ffff
  static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
  static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a]
  static let space: [ClosedRange<UInt32>] = [9...10, 12...13, 32...32]

  static func normal(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let previous = result.last, range.lowerBound <= previous.upperBound + 1 {
        result[result.count - 1] = previous.lowerBound...max(previous.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in normal(ranges) {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= last { result.append(next...last) }
    return result
  }
}

private struct PatternParser {
  private let text: [Unicode.Scalar]
  private var at = 0
  private var depth = 0

  /// RE2's own limit of a repetition, and one for how deep groups nest.
  private static let repetitionLimit = 1000
  private static let depthLimit = 200

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func parse() throws(Diagnostic) -> Pattern.Node {
    let node = try choice()
    guard at == text.count else { throw fault("there is a ) too many") }
    return node
  }

  private func fault(_ message: String) -> Diagnostic {
    .invalid("the pattern \"\(String(String.UnicodeScalarView(text)))\": \(message), at character \(at)")
  }
  private func missing(_ what: String) -> Diagnostic {
    .unsupported("the pattern \"\(String(String.UnicodeScalarView(text)))\": \(what) is not supported")
  }

  private func peek(_ ahead: Int = 0) -> Unicode.Scalar? { at + ahead < text.count ? text[at + ahead] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek() == scalar else { return false }
    at += 1
    return true
  }

  private mutating func choice() throws(Diagnostic) -> Pattern.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= PatternParser.depthLimit else { throw fault("groups nest too deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(Diagnostic) -> Pattern.Node {
    var parts: [Pattern.Node] = []
    while let next = peek(), next != "|", next != ")" { parts.append(try repetition()) }
    return .sequence(parts)
  }

  private mutating func repetition() throws(Diagnostic) -> Pattern.Node {
    let node = try atom()
    guard let (least, most) = try counts() else { return node }
    // Whether it takes as little as it can.
    _ = take("?")
    if try counts() != nil { throw fault("a repetition of a repetition") }
    return .repeated(node, least: least, most: most)
  }

  /// `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`; a brace that is none of these stands for itself.
  private mutating func counts() throws(Diagnostic) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard peek() == "{" else { return nil }
    let start = at
    at += 1
    guard let least = number() else {
      at = start
      return nil
    }
    var most: Int? = least
    if take(",") { most = number() }
    guard take("}") else {
      at = start
      return nil
    }
    let limit = PatternParser.repetitionLimit
    guard least <= limit, most ?? 0 <= limit, most.map({ $0 >= least }) ?? true else {
      throw fault("a repetition of \(least) to \(most.map(String.init) ?? "any number") times")
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = peek(), ("0"..."9").contains(scalar), value ?? 0 <= 1 << 20 {
      value = (value ?? 0) * 10 + Int(scalar.value - 48)
      at += 1
    }
    return value
  }

  private mutating func atom() throws(Diagnostic) -> Pattern.Node {
    guard let next = peek() else { throw fault("it ends too early") }
    at += 1
    switch next {
    case "(": return try group()
    case "[": return .characters(try characterClass())
    case ".": return .characters(CharacterRanges.complement([10...10]))
    case "^": return .assertion(.start)
    case "$": return .assertion(.end)
    case "\\": return try escape()
    case "*", "+", "?": throw fault("nothing is there to be repeated")
    default: return .characters([next.value...next.value])
    }
  }

  /// Behind the parenthesis. Names of groups do not matter.
  private mutating func group() throws(Diagnostic) -> Pattern.Node {
    if take("?") {
      if !take(":") {
        _ = take("P")
        guard take("<") else { throw missing("a group with flags") }
        while let scalar = peek(), scalar != ">" { at += scalar == "(" ? text.count : 1 }
        guard take(">") else { throw fault("the name of a group does not end") }
      }
    }
    let node = try choice()
    guard take(")") else { throw fault("a group does not end") }
    return node
  }

  /// Behind the backslash, outside of classes.
  private mutating func escape() throws(Diagnostic) -> Pattern.Node {
    switch peek() {
    case "b": at += 1; return .assertion(.boundary)
    case "B": at += 1; return .assertion(.noBoundary)
    case "A": at += 1; return .assertion(.start)
    case "z": at += 1; return .assertion(.end)
    default: return .characters(try escapedCharacters())
    }
  }

  private mutating func escapedCharacters() throws(Diagnostic) -> [ClosedRange<UInt32>] {
    guard let scalar = peek() else { throw fault("it ends too early") }
    at += 1
    func one(_ value: UInt32) -> [ClosedRange<UInt32>] { [value...value] }
    switch scalar {
    case "d": return CharacterRanges.digits
    case "D": return CharacterRanges.complement(CharacterRanges.digits)
    case "w": return CharacterRanges.word
    case "W": return CharacterRanges.complement(CharacterRanges.word)
    case "s": return CharacterRanges.space
    case "S": return CharacterRanges.complement(CharacterRanges.space)
    case "t": return one(9)
    case "n": return one(10)
    case "v": return one(11)
    case "f": return one(12)
    case "r": return one(13)
    case "a": return one(7)
    case "x": return one(try hexadecimal())
    default:
      guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
        throw missing("\\\(scalar)")
      }
      return one(scalar.value)
    }
  }

  /// `7f` or `{10ffff}`
  private mutating func hexadecimal() throws(Diagnostic) -> UInt32 {
    let braced = take("{")
    var digits = ""
    while let scalar = peek(), digits.count < (braced ? 8 : 2), scalar.properties.isASCIIHexDigit {
      digits.unicodeScalars.append(scalar)
      at += 1
    }
    guard !digits.isEmpty, !braced || take("}"), braced || digits.count == 2, let value = UInt32(digits, radix: 16),
      value <= CharacterRanges.last
    else { throw fault("a character by number is written \\x7f or \\x{10ffff}") }
    return value
  }

  private static let named: [String: [ClosedRange<UInt32>]] = [
    "alnum": [0x30...0x39, 0x41...0x5a, 0x61...0x7a], "alpha": [0x41...0x5a, 0x61...0x7a], "ascii": [0...0x7f],
    "blank": [9...9, 32...32], "cntrl": [0...31, 127...127], "digit": CharacterRanges.digits, "graph": [33...126],
    "lower": [0x61...0x7a], "print": [32...126], "punct": [33...47, 58...64, 91...96, 123...126],
    "space": [9...13, 32...32], "upper": [0x41...0x5a], "word": CharacterRanges.word,
    "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
  ]

  /// Behind the bracket.
  private mutating func characterClass() throws(Diagnostic) -> [ClosedRange<UInt32>] {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while isFirst || peek() != "]" {
      isFirst = false
      guard peek() != nil else { throw fault("a class of characters does not end") }
      if peek() == "[", peek(1) == ":" {
        ranges += try namedClass()
        continue
      }
      let low = try classMember()
      guard peek() == "-", let end = peek(1), end != "]" else {
        ranges += low
        continue
      }
      at += 1
      let high = try classMember()
      guard low.count == 1, high.count == 1, low[0].count == 1, high[0].count == 1,
        low[0].lowerBound <= high[0].lowerBound
      else { throw fault("a range of characters has no order") }
      ranges.append(low[0].lowerBound...high[0].lowerBound)
    }
    at += 1
    return isNegated ? CharacterRanges.complement(ranges) : CharacterRanges.normal(ranges)
  }

  private mutating func classMember() throws(Diagnostic) -> [ClosedRange<UInt32>] {
    guard let scalar = peek() else { throw fault("a class of characters does not end") }
    at += 1
    return scalar == "\\" ? try escapedCharacters() : [scalar.value...scalar.value]
  }

  private mutating func namedClass() throws(Diagnostic) -> [ClosedRange<UInt32>] {
    at += 2
    let isNegated = take("^")
    var name = ""
    while let scalar = peek(), scalar != ":", name.count < 8 {
      name.unicodeScalars.append(scalar)
      at += 1
    }
    guard take(":"), take("]"), let ranges = PatternParser.named[name] else {
      throw fault("there is no class [:\(name):]")
    }
    return isNegated ? CharacterRanges.complement(ranges) : ranges
  }
}

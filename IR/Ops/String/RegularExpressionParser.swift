import Support

/// Reads RE2's syntax: characters, classes, groups, choices, repetitions, places and flags. Groups capture nothing here,
/// and whether a repetition is greedy makes no difference to whether the whole matches.
struct RegularExpressionParser {
  private typealias Node = RegularExpressionNode
  private typealias Class = RegularExpressionClass

  private struct Flags {
    var ignoresCase = false
    var hasLines = false
    var dotTakesNewLine = false
  }

  private let pattern: String
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private static let depthLimit = 100
  /// RE2's own.
  private static let mostTimes = 1000

  init(_ pattern: String) {
    self.pattern = pattern
    scalars = Array(pattern.unicodeScalars)
  }

  private func error(_ message: String) -> Diagnostic { .invalid("the pattern \"\(pattern)\" \(message)") }

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard position + wanted.count <= scalars.count, scalars[position..<(position + wanted.count)].elementsEqual(wanted)
    else { return false }
    position += wanted.count
    return true
  }

  private mutating func take() throws(Diagnostic) -> Unicode.Scalar {
    guard let scalar = next else { throw error("ends too early") }
    position += 1
    return scalar
  }

  mutating func parse() throws(Diagnostic) -> RegularExpressionNode {
    var flags = Flags()
    let node = try choices(&flags)
    guard next == nil else { throw error("has a \")\" that closes nothing") }
    return node
  }

  private mutating func choices(_ flags: inout Flags) throws(Diagnostic) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw error("nests too deep") }
    var choices: [Node] = []
    repeat { choices.append(try sequence(&flags)) } while take("|")
    return choices.count == 1 ? choices[0] : .either(choices)
  }

  private mutating func sequence(_ flags: inout Flags) throws(Diagnostic) -> Node {
    var parts: [Node] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if take("\\Q") {
        while next != nil, !take("\\E") { parts.append(literal(try take(), flags)) }
        continue
      }
      guard let part = try part(&flags) else { continue }
      parts.append(try repeated(part))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private func literal(_ scalar: Unicode.Scalar, _ flags: Flags) -> Node { set([scalar.value...scalar.value], flags) }

  private func set(_ ranges: Class.Ranges, _ flags: Flags) -> Node {
    .take(flags.ignoresCase ? Class.foldingCase(ranges) : Class.joined(ranges))
  }

  /// One thing that may be repeated; nil for flags, which match nothing.
  private mutating func part(_ flags: inout Flags) throws(Diagnostic) -> Node? {
    switch try take() {
    case "(": return try group(&flags)
    case "[": return set(try bracket(), flags)
    case ".": return .take(flags.dotTakesNewLine ? Class.any : Class.anyButNewLine)
    case "^": return .require(flags.hasLines ? .lineStart : .textStart)
    case "$": return .require(flags.hasLines ? .lineEnd : .textEnd)
    case "*", "+", "?": throw error("repeats nothing")
    case "\\":
      switch next {
      case "A": return place(.textStart)
      case "z": return place(.textEnd)
      case "b": return place(.wordEdge)
      case "B": return place(.noWordEdge)
      default: return set(try escape(), flags)
      }
    case let scalar: return literal(scalar, flags)
    }
  }

  private mutating func place(_ place: RegularExpression.Place) -> Node {
    position += 1
    return .require(place)
  }

  private mutating func group(_ flags: inout Flags) throws(Diagnostic) -> Node? {
    var inner = flags
    if take("?") {
      if take("P<") || take("<") {
        while try take() != ">" {}
      } else {
        var isOn = true
        settings: while true {
          switch try take() {
          case "i": inner.ignoresCase = isOn
          case "m": inner.hasLines = isOn
          case "s": inner.dotTakesNewLine = isOn
          case "U": break
          case "-": isOn = false
          case ")":
            flags = inner
            return nil
          case ":": break settings
          default: throw error("has a group that is not supported")
          }
        }
      }
    }
    let node = try choices(&inner)
    guard take(")") else { throw error("has a group that does not end") }
    return node
  }

  private mutating func repeated(_ part: Node) throws(Diagnostic) -> Node {
    var node = part
    var isRepeated = false
    while let (least, most) = try times() {
      guard !isRepeated else { throw error("repeats a repetition") }
      isRepeated = true
      node = .times(node, least: least, most: most)
      _ = take("?")
    }
    return node
  }

  private mutating func times() throws(Diagnostic) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = position
    // Braces that hold no count stand for themselves.
    guard take("{"), let least = number() else {
      position = start
      return nil
    }
    var most: Int? = least
    if take(",") { most = number() }
    guard take("}") else {
      position = start
      return nil
    }
    guard least <= Self.mostTimes, most ?? 0 <= Self.mostTimes, least <= most ?? least else {
      throw error("repeats something {\(least),\(most ?? least)} times")
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, scalar >= "0", scalar <= "9" {
      value = min((value ?? 0) * 10 + Int(scalar.value - 48), 1 << 20)
      position += 1
    }
    return value
  }

  private mutating func bracket() throws(Diagnostic) -> Class.Ranges {
    let isInverted = take("^")
    var ranges: Class.Ranges = []
    var isFirst = true
    while isFirst || next != "]" {
      isFirst = false
      if take("[:") {
        let isOther = take("^")
        var name = ""
        while let scalar = next, scalar != ":" {
          name.unicodeScalars.append(scalar)
          position += 1
        }
        guard take(":]"), let named = Class.named[name] else { throw error("names a class that does not exist") }
        ranges += isOther ? Class.inverted(named) : named
        continue
      }
      let low = try member()
      guard low.count == 1, low[0].count == 1, next == "-", position + 1 < scalars.count, scalars[position + 1] != "]"
      else {
        ranges += low
        continue
      }
      position += 1
      let high = try member()
      guard high.count == 1, high[0].count == 1, low[0].lowerBound <= high[0].lowerBound else {
        throw error("has a range that is none")
      }
      ranges.append(low[0].lowerBound...high[0].lowerBound)
    }
    position += 1
    return isInverted ? Class.inverted(ranges) : Class.joined(ranges)
  }

  private mutating func member() throws(Diagnostic) -> Class.Ranges {
    let scalar = try take()
    return scalar == "\\" ? try escape() : [scalar.value...scalar.value]
  }

  private static let classes: [Unicode.Scalar: Class.Ranges] = [
    "d": Class.digit, "w": Class.word, "s": Class.space, "D": Class.inverted(Class.digit),
    "W": Class.inverted(Class.word), "S": Class.inverted(Class.space),
  ]
  private static let controls: [Unicode.Scalar: UInt32] = ["a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11]

  private mutating func escape() throws(Diagnostic) -> Class.Ranges {
    let scalar = try take()
    if let ranges = Self.classes[scalar] { return ranges }
    if let value = Self.controls[scalar] { return [value...value] }
    switch scalar {
    case "x": return try hexadecimal()
    case "0"..."7":
      var value = scalar.value - 48
      var digits = 1
      while digits < 3, let digit = next, digit >= "0", digit <= "7" {
        value = value * 8 + digit.value - 48
        digits += 1
        position += 1
      }
      guard scalar == "0" || digits > 1 else { throw error("refers back to a group") }
      return [value...value]
    case "p", "P": throw .unsupported("the pattern \"\(pattern)\" names a class of Unicode, which is not supported")
    default:
      let isLetter = Class.word.contains { $0.contains(scalar.value) }
      guard !isLetter else { throw error("has an escape \"\\\(scalar)\" that does not exist") }
      return [scalar.value...scalar.value]
    }
  }

  private mutating func hexadecimal() throws(Diagnostic) -> Class.Ranges {
    var digits = ""
    if take("{") {
      while let scalar = next, scalar != "}" {
        digits.unicodeScalars.append(scalar)
        position += 1
      }
      guard take("}") else { throw error("has a number that does not end") }
    } else {
      for _ in 0..<2 { digits.unicodeScalars.append(try take()) }
    }
    guard let value = UInt32(digits, radix: 16), value <= Class.last else { throw error("has a number that is none") }
    return [value...value]
  }
}

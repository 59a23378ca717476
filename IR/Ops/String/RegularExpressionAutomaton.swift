import Support

/// A regular expression as a machine over the bytes of UTF-8: it is in several states at a time, and never goes back.
public struct RegularExpressionAutomaton: Sendable {
  /// What stands on either side of a place in a text.
  public enum Side: Int, Sendable {
    case edge, word, line, other

    public init(_ byte: UInt8) {
      let value = UInt32(byte)
      self = byte == 10 ? .line : RegularExpressionClass.word.contains { $0.contains(value) } ? .word : .other
    }
  }

  private struct State: Sendable {
    var bytes: [(range: ClosedRange<UInt8>, next: Int)] = []
    var free: [(condition: RegularExpression.Place?, next: Int)] = []
  }

  private var states: [State] = []
  public let start = 0
  private var end = 0

  /// Characters of several bytes take states of their own.
  private static let limit = 100_000

  public init(_ expression: RegularExpression) throws(Diagnostic) {
    for _ in expression.program { _ = try add() }
    for (number, instruction) in expression.program.enumerated() {
      switch instruction {
      case .take(let ranges): for range in ranges { try build(range, from: number, to: number + 1) }
      case .split(let first, let second):
        link(number, first)
        link(number, second)
      case .jump(let target): link(number, target)
      case .require(let place): link(number, number + 1, place)
      case .match: end = number
      }
    }
  }

  // MARK: Running

  /// Whether it is where a text may end.
  public func accepts(_ states: [Int], after: Side) -> Bool { closure(states, after, .edge).contains(end) }

  /// The states behind one more byte.
  public func step(_ states: [Int], after: Side, _ byte: UInt8) -> [Int] {
    var result: Set<Int> = []
    for state in closure(states, after, Side(byte)) {
      for edge in self.states[state].bytes where edge.range.contains(byte) { result.insert(edge.next) }
    }
    return result.sorted()
  }

  /// The first of each run of bytes that no state tells apart.
  public var byteClasses: [UInt8] {
    var starts: Set<Int> = [0]
    func cut(_ low: Int, _ high: Int) { starts.formUnion([low, high + 1]) }
    cut(10, 10)
    for range in RegularExpressionClass.word { cut(Int(range.lowerBound), Int(range.upperBound)) }
    for state in states { for edge in state.bytes { cut(Int(edge.range.lowerBound), Int(edge.range.upperBound)) } }
    return starts.filter { $0 < 256 }.sorted().map { UInt8($0) }
  }

  /// What is reached without a byte.
  private func closure(_ given: [Int], _ before: Side, _ behind: Side) -> Set<Int> {
    var result = Set(given)
    var pending = given
    while let state = pending.popLast() {
      for edge in states[state].free where !result.contains(edge.next) && holds(edge.condition, before, behind) {
        result.insert(edge.next)
        pending.append(edge.next)
      }
    }
    return result
  }

  private func holds(_ condition: RegularExpression.Place?, _ before: Side, _ behind: Side) -> Bool {
    switch condition {
    case nil: true
    case .textStart: before == .edge
    case .textEnd: behind == .edge
    case .lineStart: before == .edge || before == .line
    case .lineEnd: behind == .edge || behind == .line
    case .wordEdge: (before == .word) != (behind == .word)
    case .noWordEdge: (before == .word) == (behind == .word)
    }
  }

  // MARK: Building

  private mutating func add() throws(Diagnostic) -> Int {
    guard states.count < RegularExpressionAutomaton.limit else { throw .unsupported("the pattern is too large") }
    states.append(State())
    return states.count - 1
  }

  private mutating func link(_ from: Int, _ to: Int, _ condition: RegularExpression.Place? = nil) {
    states[from].free.append((condition, to))
  }

  /// Characters of one length in UTF-8 after the other, and of these those whose first bytes differ apart.
  private mutating func build(_ range: ClosedRange<UInt32>, from: Int, to: Int) throws(Diagnostic) {
    for (length, span) in [(1, 0...0x7f), (2, 0x80...0x7ff), (3, 0x800...0xffff), (4, 0x10000...0x10ffff)]
      as [(Int, ClosedRange<UInt32>)]
    {
      let (low, high) = (max(range.lowerBound, span.lowerBound), min(range.upperBound, span.upperBound))
      if low <= high { try build(low, high, length, first: true, from: from, to: to) }
    }
  }

  /// Characters from `low` to `high`, of which `length` bytes remain.
  private mutating func build(
    _ low: UInt32, _ high: UInt32, _ length: Int, first: Bool, from: Int, to: Int
  ) throws(Diagnostic) {
    let shift = UInt32(6 * (length - 1))
    let lead: UInt32 = !first ? 0x80 : [0, 0xc0, 0xe0, 0xf0][length - 1]
    func byte(_ value: UInt32) -> UInt8 { UInt8(lead | value >> shift) }
    if length == 1 {
      states[from].bytes.append((byte(low)...byte(high), to))
      return
    }
    let mask = (UInt32(1) << shift) - 1
    var (start, stop) = (low, high)
    func rest(_ from: UInt32, _ to: UInt32) -> (lead: ClosedRange<UInt8>, low: UInt32, high: UInt32) {
      (byte(from)...byte(to), from & mask, to & mask)
    }
    var parts: [(lead: ClosedRange<UInt8>, low: UInt32, high: UInt32)] = []
    if low >> shift == high >> shift {
      parts = [rest(low, high)]
    } else {
      // First and last leading bytes may have but some of their continuations.
      if low & mask != 0 {
        parts.append(rest(low, low | mask))
        start = (low | mask) + 1
      }
      if high & mask != mask {
        parts.append(rest(high & ~mask, high))
        stop = (high & ~mask) - 1
      }
      if start <= stop { parts.append(rest(start, stop)) }
    }
    for part in parts {
      let next = try add()
      states[from].bytes.append((part.lead, next))
      try build(part.low, part.high, length - 1, first: false, from: next, to: to)
    }
  }
}

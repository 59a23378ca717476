import Support

/// A regular expression as a program of a machine that is in many states at once, so that no text takes longer than
/// its length times the program's.
public struct RegularExpression: Sendable {
  public enum Place: Hashable, Sendable { case textStart, textEnd, lineStart, lineEnd, wordEdge, noWordEdge }

  public enum Instruction: Hashable, Sendable {
    /// Goes on behind a character of one of the ranges, which are in order.
    case take([ClosedRange<UInt32>])
    /// Goes on at both.
    case split(Int, Int)
    case jump(Int)
    /// Goes on only here.
    case require(Place)
    case match
  }

  public let program: [Instruction]

  public init(_ pattern: String) throws(Diagnostic) {
    var parser = RegularExpressionParser(pattern)
    var compiler = RegularExpressionCompiler(pattern: pattern)
    try compiler.add(try parser.parse())
    program = compiler.program + [.match]
  }

  /// Whether the whole of a text matches. A byte that is no UTF-8 matches nothing.
  public func matches(_ text: [UInt8]) -> Bool {
    var scalars: [UInt32?] = []
    var at = 0
    while at < text.count {
      let character = CharacterReader.scalar(text, at)
      scalars.append(character?.scalar.value)
      at += character?.length ?? 1
    }
    var states = RegularExpressionStates(count: program.count)
    follow(0, &states, scalars, 0)
    for (number, scalar) in scalars.enumerated() {
      guard let scalar, !states.list.isEmpty else { return false }
      let current = states.list
      states.clear()
      for state in current {
        guard case .take(let ranges) = program[state], ranges.contains(where: { $0.contains(scalar) }) else { continue }
        follow(state + 1, &states, scalars, number + 1)
      }
    }
    return states.list.contains { program[$0] == .match }
  }

  /// Adds a state and all those that it leads to without a character.
  private func follow(_ start: Int, _ states: inout RegularExpressionStates, _ text: [UInt32?], _ position: Int) {
    var pending = [start]
    while let state = pending.popLast() {
      guard states.insert(state) else { continue }
      switch program[state] {
      case .take, .match: states.list.append(state)
      case .jump(let target): pending.append(target)
      case .split(let first, let second): pending += [first, second]
      case .require(let place): if holds(place, text, position) { pending.append(state + 1) }
      }
    }
  }

  private func holds(_ place: Place, _ text: [UInt32?], _ position: Int) -> Bool {
    let before = position > 0 ? text[position - 1] : nil
    let after = position < text.count ? text[position] : nil
    let newLine: UInt32 = 10
    switch place {
    case .textStart: return position == 0
    case .textEnd: return position == text.count
    case .lineStart: return position == 0 || before == newLine
    case .lineEnd: return position == text.count || after == newLine
    case .wordEdge, .noWordEdge:
      return (isWord(before) != isWord(after)) == (place == .wordEdge)
    }
  }

  private func isWord(_ scalar: UInt32?) -> Bool {
    guard let scalar else { return false }
    return RegularExpressionClass.word.contains { $0.contains(scalar) }
  }
}

/// The states that a machine is in, each once.
private struct RegularExpressionStates {
  var list: [Int] = []
  private var seen: [Int]
  private var turn = 1

  init(count: Int) { seen = Array(repeating: 0, count: count) }

  mutating func insert(_ state: Int) -> Bool {
    if seen[state] == turn { return false }
    seen[state] = turn
    return true
  }

  mutating func clear() {
    list.removeAll(keepingCapacity: true)
    turn += 1
  }
}

/// What a pattern says.
indirect enum RegularExpressionNode: Sendable {
  case take([ClosedRange<UInt32>])
  case require(RegularExpression.Place)
  case sequence([RegularExpressionNode])
  case either([RegularExpressionNode])
  /// At least `least` times, at most `most`.
  case times(RegularExpressionNode, least: Int, most: Int?)
}

struct RegularExpressionCompiler {
  let pattern: String
  private(set) var program: [RegularExpression.Instruction] = []
  /// Counted repetitions of repetitions multiply; longer programs are refused.
  private static let limit = 20_000

  init(pattern: String) { self.pattern = pattern }

  private mutating func emit(_ instruction: RegularExpression.Instruction) throws(Diagnostic) {
    guard program.count < Self.limit else { throw .unsupported("the pattern \"\(pattern)\" repeats too much") }
    program.append(instruction)
  }

  mutating func add(_ node: RegularExpressionNode) throws(Diagnostic) {
    switch node {
    case .take(let ranges): try emit(.take(ranges))
    case .require(let place): try emit(.require(place))
    case .sequence(let parts): for part in parts { try add(part) }
    case .either(let choices):
      var ends: [Int] = []
      for choice in choices.dropLast() {
        let split = program.count
        try emit(.split(split + 1, 0))
        try add(choice)
        ends.append(program.count)
        try emit(.jump(0))
        program[split] = .split(split + 1, program.count)
      }
      if let last = choices.last { try add(last) }
      for end in ends { program[end] = .jump(program.count) }
    case .times(let part, let least, let most):
      for _ in 0..<least { try add(part) }
      guard let most else {
        let split = program.count
        try emit(.split(split + 1, 0))
        try add(part)
        try emit(.jump(split))
        program[split] = .split(split + 1, program.count)
        return
      }
      var splits: [Int] = []
      for _ in 0..<max(most - least, 0) {
        splits.append(program.count)
        try emit(.split(program.count + 1, 0))
        try add(part)
      }
      for split in splits { program[split] = .split(split + 1, program.count) }
    }
  }
}

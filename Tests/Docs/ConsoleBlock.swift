import Foundation

/// A block of a document that shows commands and what they print:
///
///     ```console
///     $ martlet targets
///     target     vectors ...
///     ...
///     ```
///
/// A command goes on in lines that start with `> `. What it prints follows, standard output and errors as a terminal
/// shows them; a status other than zero ends it as `[exit 3]`. Three rules say what need not be the same:
/// - a line of `...` stands for any number of lines, and `...` inside of a line for any text;
/// - where a line has a time (`ms`, `us`, `s` behind a number), its numbers may be others;
/// - a hash of 32 hexadecimal digits may be another.
struct ConsoleBlock {
  struct Step {
    var command: String
    var expected: [String]
  }

  /// Line numbers of the lines between the fences.
  var lines: Range<Int>
  var steps: [Step]

  static func all(in text: String) -> [ConsoleBlock] {
    let lines = text.components(separatedBy: "\n")
    var blocks: [ConsoleBlock] = []
    var start: Int?
    for (number, line) in lines.enumerated() {
      if let first = start, line == "```" {
        blocks.append(ConsoleBlock(lines: first..<number, steps: steps(lines[first..<number])))
        start = nil
      } else if line == "```console" {
        start = number + 1
      }
    }
    return blocks
  }

  private static func steps(_ lines: ArraySlice<String>) -> [Step] {
    var steps: [Step] = []
    for line in lines {
      if line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), expected: []))
      } else if line.hasPrefix("> "), let last = steps.last, last.expected.isEmpty {
        steps[steps.count - 1].command += "\n" + line.dropFirst(2)
      } else if !steps.isEmpty {
        steps[steps.count - 1].expected.append(line)
      }
    }
    return steps
  }

  /// The block's lines with other outputs.
  static func text(_ steps: [Step]) -> [String] {
    steps.flatMap { ["$ " + $0.command.replacing("\n", with: "\n> ")] + $0.expected }
  }
}

/// Whether output is as a document shows it.
enum OutputPattern {
  static let gap = "..."

  static func matches(_ expected: [String], _ actual: [String]) -> Bool {
    matches(expected[...], actual[...])
  }

  private static func matches(_ expected: ArraySlice<String>, _ actual: ArraySlice<String>) -> Bool {
    guard let first = expected.first else { return actual.isEmpty }
    if first == gap {
      let rest = expected.dropFirst()
      return (actual.startIndex...actual.endIndex).contains { matches(rest, actual[$0...]) }
    }
    guard let line = actual.first, matches(line: first, line) else { return false }
    return matches(expected.dropFirst(), actual.dropFirst())
  }

  static func matches(line expected: String, _ actual: String) -> Bool {
    let (pattern, text) = (normalised(expected), normalised(actual))
    guard pattern.contains(gap) else { return pattern == text }
    let parts = pattern.components(separatedBy: gap)
    guard text.hasPrefix(parts[0]) else { return false }
    var rest = text.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() {
      guard let found = rest.range(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }

  /// The line without what differs from run to run.
  static func normalised(_ line: String) -> String {
    var text = line.replacing(/[0-9a-f]{32}/, with: "HASH")
    if text.contains(/[0-9] ?(ms|us|s)\b/) {
      // Figures of fewer digits are padded in tables.
      text = text.replacing(/[0-9]+(\.[0-9]+)?/, with: "#").replacing(/[ ]+/, with: " ")
    }
    while text.last == " " { text.removeLast() }
    return text
  }

  /// New output, abridged where the old one was: as many lines before the first gap and behind the last.
  static func blessed(_ expected: [String], _ actual: [String]) -> [String] {
    if matches(expected, actual) { return expected }
    guard let first = expected.firstIndex(of: gap), let last = expected.lastIndex(of: gap) else { return actual }
    let tail = expected.count - last - 1
    guard actual.count > first + tail else { return actual }
    return actual.prefix(first) + [gap] + actual.suffix(tail)
  }
}

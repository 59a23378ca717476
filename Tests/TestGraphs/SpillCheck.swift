/// Finds vector registers that a loop saves to the stack: the sign of a tile that does not fit.
///
/// Reads assembly with LLVM's comments, in which spills say `64-byte Spill` or
/// `Folded Reload`; accesses of local arrays do not. A loop is what lies between
/// a label and a later jump back to it.
///
/// Arithmetic that takes an operand from the stack which its innermost loop never
/// stores there is no spill: x86 takes constants from memory just so.
public struct SpillCheck: Sendable {
  public struct Spill: Hashable, Sendable, CustomStringConvertible {
    public var line: Int
    public var text: String
    public var description: String { "line \(line): \(text)" }
  }

  /// Vector spills and reloads inside of loops.
  public let spills: [Spill]
  /// Those inside of loops that hold no other loop: where the time goes.
  public let innermost: [Spill]
  public let loops: Int

  public init(assembly: String) {
    let lines = assembly.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let ranges = SpillCheck.loops(lines)
    let inner = ranges.filter { range in
      !ranges.contains { $0 != range && range.contains($0.lowerBound) && range.contains($0.upperBound) }
    }
    func find(in ranges: [ClosedRange<Int>]) -> [Spill] {
      var found: [Int: Spill] = [:]
      for range in ranges {
        let stored = Set(lines[range].filter { $0.contains("Spill") }.compactMap(SpillCheck.slot))
        for number in range where SpillCheck.isVectorSpill(lines[number]) {
          if SpillCheck.isOperand(lines[number]), SpillCheck.slot(lines[number]).map(stored.contains) == false {
            continue
          }
          let text = lines[number].split(separator: "\t").joined(separator: " ")
          found[number] = Spill(line: number + 1, text: text)
        }
      }
      return found.values.sorted { $0.line < $1.line }
    }
    spills = find(in: ranges)
    innermost = find(in: inner)
    loops = ranges.count
  }

  /// From labels to the last jump back to each.
  private static func loops(_ lines: [String]) -> [ClosedRange<Int>] {
    var labels: [String: Int] = [:]
    var ends: [Int: Int] = [:]
    for (number, line) in lines.enumerated() {
      let code = line.prefix { $0 != "#" }.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," })
      guard let first = code.first else { continue }
      if first.hasSuffix(":") { labels[String(first.dropLast())] = number }
      let isJump = first.hasPrefix("j") || first.hasPrefix("b") || first.hasPrefix("cb") || first.hasPrefix("tb")
      guard isJump, code.count > 1, let target = code.last, let start = labels[String(target)] else { continue }
      ends[start] = number
    }
    return ends.map { $0.key...$0.value }
  }

  /// By the register's name: pairs of plain registers are saved in 16 bytes too.
  private static func isVectorSpill(_ line: String) -> Bool {
    guard line.contains("Spill") || line.contains("Reload") else { return false }
    return line.split(whereSeparator: { " \t,%{}".contains($0) }).contains { word in
      if ["xmm", "ymm", "zmm"].contains(where: word.hasPrefix) { return true }
      // Arm's and RISC-V's vectors; halves of Arm's are saved as such.
      return "qdv".contains(word.first ?? " ") && word.count > 1 && word.dropFirst().allSatisfy(\.isNumber)
    }
  }

  /// Whether the stack is an operand of arithmetic here.
  private static func isOperand(_ line: String) -> Bool {
    guard line.contains("Folded Reload"), let word = line.split(separator: "\t").first else { return false }
    return !word.hasPrefix("vmov") && !word.hasPrefix("mov") && !word.hasPrefix("ld")
  }

  /// The place on the stack that an x86 instruction names.
  private static func slot(_ line: String) -> Substring? {
    guard let end = line.firstRange(of: "(%rsp)") else { return nil }
    let start = line[..<end.lowerBound].lastIndex { "\t ,".contains($0) } ?? line.startIndex
    return line[start..<end.upperBound].drop { "\t ,".contains($0) }
  }
}

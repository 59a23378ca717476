/// Finds vector registers that a loop saves to the stack: the sign of a tile that does not fit.
///
/// Reads assembly with LLVM's comments, in which spills say `64-byte Spill` or
/// `Folded Reload`; accesses of local arrays do not. A loop is what lies between
/// a label and a later jump back to it.
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
    var depth = [Int](repeating: 0, count: lines.count + 1)
    var hot = [Int](repeating: 0, count: lines.count + 1)
    for range in ranges {
      let holdsOther = ranges.contains { $0 != range && range.contains($0.lowerBound) && range.contains($0.upperBound) }
      depth[range.lowerBound] += 1
      depth[range.upperBound + 1] -= 1
      guard !holdsOther else { continue }
      hot[range.lowerBound] += 1
      hot[range.upperBound + 1] -= 1
    }
    var spills: [Spill] = []
    var innermost: [Spill] = []
    var (around, inside) = (0, 0)
    for (number, line) in lines.enumerated() {
      around += depth[number]
      inside += hot[number]
      guard around > 0, SpillCheck.isVectorSpill(line) else { continue }
      let spill = Spill(line: number + 1, text: line.split(separator: "\t").joined(separator: " "))
      spills.append(spill)
      if inside > 0 { innermost.append(spill) }
    }
    self.spills = spills
    self.innermost = innermost
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

  private static func isVectorSpill(_ line: String) -> Bool {
    guard line.contains("Spill") || line.contains("Reload") else { return false }
    return ["16-byte", "32-byte", "64-byte", "%xmm", "%ymm", "%zmm"].contains { line.contains($0) }
  }
}

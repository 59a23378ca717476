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
  public let loops: Int

  public init(assembly: String) {
    let lines = assembly.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var labels: [String: Int] = [:]
    var inLoop = Array(repeating: false, count: lines.count)
    var loops = 0
    for (number, line) in lines.enumerated() {
      let code = line.prefix { $0 != "#" }.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," })
      guard let first = code.first else { continue }
      if first.hasSuffix(":") { labels[String(first.dropLast())] = number }
      let isJump = first.hasPrefix("j") || first.hasPrefix("b") || first.hasPrefix("cb") || first.hasPrefix("tb")
      guard isJump, code.count > 1, let target = code.last, let start = labels[String(target)] else { continue }
      loops += 1
      for inside in start...number { inLoop[inside] = true }
    }
    var spills: [Spill] = []
    for (number, line) in lines.enumerated() where inLoop[number] && SpillCheck.isVectorSpill(line) {
      spills.append(Spill(line: number + 1, text: line.split(separator: "\t").joined(separator: " ")))
    }
    self.spills = spills
    self.loops = loops
  }

  private static func isVectorSpill(_ line: String) -> Bool {
    guard line.contains("Spill") || line.contains("Reload") else { return false }
    return ["16-byte", "32-byte", "64-byte", "%xmm", "%ymm", "%zmm"].contains { line.contains($0) }
  }
}

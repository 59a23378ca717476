import Foundation
import IR
import Support
import Testing

/// What the cases reach: every op, every word of its attributes, operands with and without, every kind of element. What
/// they do not reach is listed in `uncovered.txt`, with the reason, and nothing else may be.
@Suite struct CoverageTests {
  @Test func whatNoCaseReachesIsKnown() throws {
    let gaps = try Survey.all.gaps
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("uncovered.txt")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
    var known: Set<String> = []
    for line in lines {
      let parts = line.split(separator: " -- ", maxSplits: 1)
      #expect(parts.count == 2, "\(line) gives no reason")
      known.insert(String(parts[0]))
    }
    let new = gaps.subtracting(known).sorted()
    #expect(new.isEmpty, "no case reaches:\n\(new.joined(separator: "\n"))")
    let closed = known.subtracting(gaps).sorted()
    #expect(closed.isEmpty, "cases reach:\n\(closed.joined(separator: "\n"))")
  }
}

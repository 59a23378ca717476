import Foundation
import Testing

/// What README and Docs show is what the commands print.
///
/// `MARTLET_BLESS=1` writes what they print now into the documents.
@Suite struct DocumentTests {
  @Test(arguments: ["README.md", "Docs/Tour.md", "Docs/Seeing.md", "Docs/Targets.md", "Docs/ONNX.md"])
  func showsWhatCommandsPrint(_ document: String) throws {
    let file = Workplace.root.appending(path: document)
    var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
    let blocks = ConsoleBlock.all(in: lines.joined(separator: "\n"))
    try #require(!blocks.isEmpty)
    let isBlessing = ProcessInfo.processInfo.environment["MARTLET_BLESS"] == "1"
    let workplace = try Workplace()
    var results: [(block: ConsoleBlock, steps: [ConsoleBlock.Step])] = []
    for block in blocks {
      var steps: [ConsoleBlock.Step] = []
      for step in block.steps {
        let printed = try workplace.run(step.command)
        if !isBlessing, !OutputPattern.matches(step.expected, printed) {
          Issue.record(
            """
            \(document), line \(block.lines.lowerBound + 1): $ \(step.command)
            prints
            \(printed.joined(separator: "\n"))
            instead of
            \(step.expected.joined(separator: "\n"))
            """)
        }
        steps.append(ConsoleBlock.Step(command: step.command, expected: OutputPattern.blessed(step.expected, printed)))
      }
      results.append((block, steps))
    }
    guard isBlessing else { return }
    // From the end, so that line numbers stay right.
    for (block, steps) in results.reversed() { lines.replaceSubrange(block.lines, with: ConsoleBlock.text(steps)) }
    try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
  }

  /// A link to a file that is not there helps nobody.
  @Test(arguments: ["README.md", "CONTRIBUTING.md", "Docs", "Examples"])
  func linksLeadSomewhere(_ path: String) throws {
    let start = Workplace.root.appending(path: path)
    let below = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil)?.allObjects as? [URL] ?? []
    for file in [start] + below where file.pathExtension == "md" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for link in text.matches(of: /\]\(([^)#]+)[^)]*\)/) where !link.1.contains("://") {
        let target = file.deletingLastPathComponent().appending(path: String(link.1))
        #expect(FileManager.default.fileExists(atPath: target.path), "\(file.lastPathComponent) links to \(link.1)")
      }
    }
  }

  @Test func gapsMatch() {
    #expect(OutputPattern.matches(["a", "...", "d"], ["a", "b", "c", "d"]))
    #expect(OutputPattern.matches(["a", "...", "d"], ["a", "d"]))
    #expect(!OutputPattern.matches(["a", "...", "d"], ["a", "b"]))
    #expect(!OutputPattern.matches(["a"], ["a", "b"]))
    #expect(OutputPattern.matches(line: "median 0.5 ms, 12 runs", "median 17 ms, 3 runs"))
    #expect(!OutputPattern.matches(line: "median 0.5, 12 runs", "median 17, 3 runs"))
    #expect(OutputPattern.matches(line: "weight = [...] from x", "weight = [1.0, 2.0] from x"))
    #expect(!OutputPattern.matches(line: "weight = [...] from x", "weight = [1.0] from y"))
  }

  @Test func blessingKeepsAbridging() {
    #expect(OutputPattern.blessed(["a", "...", "z"], ["b", "c", "d", "y"]) == ["b", "...", "y"])
    #expect(OutputPattern.blessed(["a", "...", "z"], ["a", "c", "z"]) == ["a", "...", "z"])
    #expect(OutputPattern.blessed(["a"], ["b", "c"]) == ["b", "c"])
  }
}

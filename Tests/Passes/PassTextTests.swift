import Foundation
import IR
import Passes
import Testing

@Suite struct PassTextTests {
  /// `MARTLET_BLESS=1` writes what the passes give now; the reviewed difference is the test.
  private static let isBlessing = ProcessInfo.processInfo.environment["MARTLET_BLESS"] == "1"

  @Test(.enabled(if: !isBlessing), arguments: PassCase.all)
  func passesGiveTheExpectedText(_ example: PassCase) throws {
    #expect(try example.run() == example.expected)
  }

  @Test(.enabled(if: isBlessing)) func bless() throws {
    for (file, cases) in Dictionary(grouping: PassCase.all, by: \.file) {
      let text = try cases.map { try $0.text($0.run()) }.joined(separator: "\n// ====\n") + "\n"
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
  }

  @Test func everyPassHasCases() throws {
    let covered = try Set(PassCase.all.flatMap { try $0.passes.map(\.name) })
    for pass in PassRegistry.all { #expect(covered.contains(pass.name), "\(pass.name) has no case") }
  }
}

import Foundation
import IR
import Testing

@Suite struct SpecTests {
  /// The ```mir blocks of the language's description.
  static let examples: [String] = {
    let text = (try? String(contentsOf: repository.appending(path: "IR/Spec.md"), encoding: .utf8)) ?? ""
    return text.components(separatedBy: "```mir\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
  }()

  @Test func thereAreExamples() { #expect(Self.examples.count >= 7) }

  @Test(arguments: SpecTests.examples) func exampleParses(_ example: String) throws {
    let module = try ModuleParser.parse(example, file: "Spec.md")
    try Verifier.verify(module)
    #expect(try ModuleParser.parse(module.text(), file: "printed.mir").isStructurallyEqual(to: module))
  }
}

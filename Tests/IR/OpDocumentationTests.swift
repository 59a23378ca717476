import Foundation
import IR
import Testing

/// The repository, seen from this file.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

@Suite struct OpDocumentationTests {
  static let documentation: [OpDocumentation] = {
    let root = repository.appending(path: "IR/Ops")
    let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
    let sources = (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
    return sources.sorted { $0.path < $1.path }
      .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.flatMap(OpDocumentation.find(in:))
  }()

  @Test func everyOpHasAnExample() {
    let documented = Set(Self.documentation.filter { !$0.example.isEmpty }.map(\.kind))
    for family in OpRegistry.families {
      for kind in family.kinds { #expect(documented.contains("\(kind)"), "\(kind)") }
    }
  }

  @Test(arguments: OpDocumentationTests.documentation.filter { !$0.example.isEmpty })
  func exampleParsesAndPrintsAsWritten(_ documentation: OpDocumentation) throws {
    let module = try ModuleParser.parse(documentation.module, file: documentation.kind)
    try Verifier.verify(module)
    let printed = module.text()
    let again = try ModuleParser.parse(printed, file: "printed")
    #expect(again.text() == printed)
  }

  @Test func referenceIsUpToDate() throws {
    let file = repository.appending(path: "IR/Ops.md")
    let reference = opsReference(Self.documentation)
    if ProcessInfo.processInfo.environment["MARTLET_BLESS"] == "1" {
      try reference.write(to: file, atomically: true, encoding: .utf8)
    }
    let written = try String(contentsOf: file, encoding: .utf8)
    #expect(written == reference, "run the IR tests with MARTLET_BLESS=1")
  }
}

extension OpDocumentation: CustomTestStringConvertible {
  public var testDescription: String { kind }
}

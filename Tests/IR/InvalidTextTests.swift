import Foundation
import IR
import Support
import Testing

/// One module of `Tests/IR/Invalid`, with the error that its comment promises.
struct InvalidText: Sendable, CustomTestStringConvertible {
  let file: String
  let text: String
  let line: Int
  let message: String
  var testDescription: String { "\(file): \(message)" }

  static let all: [InvalidText] = {
    let folder = repository.appending(path: "Tests/IR/Invalid")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "mir" }.sorted { $0.path < $1.path }.flatMap { file in
      let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
      return text.components(separatedBy: "\n---\n").map { InvalidText(file.lastPathComponent, $0) }
    }
  }()

  private init(_ file: String, _ text: String) {
    self.file = file
    self.text = text
    let lines = text.components(separatedBy: "\n")
    let index = lines.firstIndex { $0.contains("// error: ") } ?? 0
    line = index + 1
    message = lines[index].components(separatedBy: "// error: ").last ?? ""
  }
}

@Suite struct InvalidTextTests {
  @Test(arguments: InvalidText.all) func errorStandsOnItsLine(_ invalid: InvalidText) throws {
    do {
      _ = try ModuleParser.parse(invalid.text, file: invalid.file)
      Issue.record("it parsed")
    } catch {
      #expect(error.kind == .invalid)
      #expect(error.location?.line == invalid.line)
      var unplaced = error
      unplaced.location = nil
      #expect(unplaced.description == invalid.message)
    }
  }

  @Test func deepNestingIsRefused() {
    let deep = String(repeating: "seq<", count: 100_000)
    let dims = String(repeating: "(", count: 100_000)
    for type in [deep, "f32[" + dims, "f32[" + String(repeating: "-", count: 100_000)] {
      #expect(throws: Diagnostic.self) {
        try ModuleParser.parse("module @m { entry @e(%x: \(type)", file: "deep.mir")
      }
    }
  }

  @Test func dimsCannotExplode() {
    // (a + b) to the power of 64 would have 65 terms after canonicalising, of 2^64 before.
    let power = Array(repeating: "(a + b + c)", count: 64).joined(separator: " * ")
    #expect(throws: Diagnostic.self) {
      try ModuleParser.parse(
        "module @m { symbol a in 0...9 symbol b in 0...9 symbol c in 0...9 entry @e(%x: f32[\(power)]) -> () { return } }",
        file: "dims.mir")
    }
  }
}

import Foundation
import IR
import Passes
import Support
import Testing

/// One case of `Tests/Passes/Cases/*.mir`: passes, a module, and the module they make of it.
///
///     // run: canonicalize,dead-code --explain
///     module ...
///     // ----
///     module ...
///     // relu-into-conv missed at relu: the result of conv has 2 uses
struct PassCase: Sendable, CustomTestStringConvertible {
  let file: URL
  let number: Int
  /// The line with `// run:`, and what comments stand before it.
  let head: String
  let input: String
  let expected: String

  var testDescription: String { "\(file.lastPathComponent) \(number)" }

  var passes: [GraphPass] {
    get throws {
      try words.filter { !$0.hasPrefix("--") }.map { name in
        try #require(PassRegistry.pass(name), "there is no pass \(name)")
      }
    }
  }

  var explains: Bool { words.contains("--explain") }

  private var words: [String] {
    let line = head.components(separatedBy: "\n").last { $0.hasPrefix("// run: ") } ?? ""
    return line.dropFirst("// run: ".count).split { $0 == "," || $0 == " " }.map(String.init)
  }

  /// What the passes make of the input, as the file would hold it.
  func run() throws -> String {
    var module = try ModuleParser.parse(input, file: file.lastPathComponent)
    var manager = PassManager()
    manager.verifiesEach = true
    manager.explains = explains
    let report = try manager.run(try passes, on: &module)
    var text = module.text(inlineLimit: 4096)
    let again = try ModuleParser.parse(text, file: "the output")
    #expect(again.isStructurallyEqual(to: module), "the output does not read back")
    for explanation in report.explanations {
      guard case .missed(let reason) = explanation.outcome else { continue }
      text += "// \(explanation.pattern) missed at \(explanation.mnemonic): \(reason)\n"
    }
    return text
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases")

  static let all: [PassCase] = {
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "mir" }.sorted { $0.path < $1.path }.flatMap(read)
  }()

  private static func read(_ file: URL) -> [PassCase] {
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    var cases: [PassCase] = []
    for chunk in text.components(separatedBy: "\n// ====\n") {
      let lines = chunk.components(separatedBy: "\n")
      let start = lines.firstIndex { $0.hasPrefix("module") } ?? lines.count
      let body = lines[start...].joined(separator: "\n").components(separatedBy: "\n// ----")
      cases.append(
        PassCase(
          file: file, number: cases.count + 1, head: lines[..<start].joined(separator: "\n"), input: body[0],
          expected: (body.count > 1 ? body[1] : "").trimmingCharacters(in: .newlines) + "\n"))
    }
    return cases
  }

  func text(_ output: String) -> String {
    "\(head)\n\(input.trimmingCharacters(in: .newlines))\n// ----\n\(output.trimmingCharacters(in: .newlines))"
  }
}

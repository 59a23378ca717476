import Codegen
@testable import Driver
import Foundation
import IR
import Support
import Targets
import TestGraphs
import TestSupport
import Testing

/// Every program that is made reads back from its text, and leads to the same artifact.
@Suite(.serialized) struct ProgramTextTests {
  static let models = ["attention", "branch", "corners", "counter", "failures", "halving"]
  static let targets = ["x86-64-v3", "x86-64-v4", "aarch64"]

  @Test(arguments: models) func modelsReadBack(_ model: String) throws {
    for target in Self.targets { try check(try TestPaths.model(model), model, target) }
  }

  @Test func randomGraphsReadBack() throws {
    var count = 0
    for seed in UInt64(0)..<400 {
      do throws(Diagnostic) {
        let module = try RandomGraph(seed: seed, options: RandomBatch.options(seed)).module()
        try check(module, "seed \(seed)", Self.targets[Int(seed % 3)])
        count += 1
      } catch {
        if error.kind != .unsupported { Issue.record("seed \(seed): \(error)") }
      }
    }
    #expect(count > 200, "\(count) programs")
  }

  private func check(_ module: Module, _ name: String, _ target: String) throws(Diagnostic) {
    var options = CompileOptions()
    options.target = target
    var compilation = try Compilation(module, options)
    let program = try compilation.schedule()
    let origin = ProgramOrigin(target: target, options: options.programText, sourceHash: "\"\n\\")
    let text = program.text(origin: origin)
    let contents = Dictionary(program.weights.map { ($0.name, $0.content()) }, uniquingKeysWith: { a, _ in a })
    let result = try ProgramParser.parse(Array(text.utf8), file: name) { name, _ throws(Diagnostic) in
      guard let bytes = contents[name] else { throw .invalid("there is no weight \(name)") }
      return bytes
    }
    #expect(result.origin == origin)
    #expect(result.program.text(origin: origin) == text, "\(name) on \(target)")
    #expect(result.program == program, "\(name) on \(target)")
    #expect(result.program.namingKernelsByContent() == program, "\(name) on \(target)")
  }

  // MARK: Files

  private func compile(_ path: String, to output: String, _ change: (inout CompileOptions) -> Void) throws {
    var options = CompileOptions()
    change(&options)
    var compilation = try Compilation(path, options)
    try compilation.build(.shared, name: "m", sourceHash: try ModelLoader.hash(path), to: output)
  }

  private func write(_ path: String, to output: String, _ change: (inout CompileOptions) -> Void) throws {
    var options = CompileOptions()
    change(&options)
    var compilation = try Compilation(path, options)
    try compilation.writeProgram(to: output, sourceHash: try ModelLoader.hash(path))
  }

  @Test(arguments: models + ["digits"]) func artifactsAreEqual(_ model: String) throws {
    // The name of the weights file is in the artifact, so that only the folders differ.
    let (direct, again, between) = (try TestFolder(), try TestFolder(), try TestFolder())
    let path = model == "digits" ? TestPaths.digits : TestPaths.path(of: model)
    for target in Self.targets.prefix(model == "digits" ? 3 : 1) {
      for weightsInFile in [false, true] {
        try compile(path, to: direct["m.so"]) {
          $0.target = target
          $0.weightsInFile = weightsInFile
          $0.maximumThreads = 3
        }
        try write(path, to: between["m.loops"]) { $0.target = target }
        try compile(between["m.loops"], to: again["m.so"]) {
          $0.weightsInFile = weightsInFile
          $0.maximumThreads = 3
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: direct.path).sorted()
        #expect(names.count >= 2)
        for name in names {
          #expect(
            FileManager.default.contentsEqual(atPath: direct[name], andPath: again[name]),
            "\(name) of \(model) on \(target)")
        }
      }
    }
  }

  @Test func writingAgainChangesNothing() throws {
    let folder = try TestFolder()
    try write(TestPaths.digits, to: folder["a.loops"]) { $0.target = "x86-64-v3" }
    try write(folder["a.loops"], to: folder["b.loops"]) { _ in }
    for suffix in ["loops", "weights"] {
      let (a, b) = (folder["a.\(suffix)"], folder["b.\(suffix)"])
      #expect(FileManager.default.contentsEqual(atPath: a, andPath: b), "\(suffix)")
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let folder = try TestFolder()
    let path = folder["a.loops"]
    try write(TestPaths.digits, to: path) { $0.target = "x86-64-v3" }
    func complaint(_ change: (inout CompileOptions) -> Void = { _ in }) -> String {
      do {
        try compile(path, to: folder["a.so"], change)
        return ""
      } catch { return "\(error)" }
    }
    #expect(complaint { $0.target = "x86-64-v4" } == "--target x86-64-v4: \(path) is for x86-64-v3")
    #expect(
      complaint { $0.shapes = ["image": [1, 1, 8, 8]] }.hasPrefix("--shape: the shapes of a program are settled"))
    #expect(complaint { $0.from = .canonical }.hasPrefix("--from canonical: \(path) is a program"))
    #expect(complaint { $0.weightsInFile = true }.contains("--weights file would overwrite"))
    #expect(complaint() == "")

    var weights = try Data(contentsOf: URL(fileURLWithPath: folder["a.weights"]))
    weights[weights.count - 2] ^= 1
    try weights.write(to: URL(fileURLWithPath: folder["a.weights"]))
    #expect(complaint().contains("were changed: their hash is wrong"))
    try FileManager.default.removeItem(atPath: folder["a.weights"])
    #expect(complaint().hasPrefix("\(path):3:3: the weights are not there"))
  }

  @Test func aModelIsNotOverwritten() throws {
    let folder = try TestFolder()
    let weight = (0..<100).map { "\($0).5" }.joined(separator: ", ")
    let module = try ModuleParser.parse(
      """
      module @m {
        weight @w : f32[100] = [\(weight)]
        entry @main(%x: f32[100]) -> (%y: f32[100]) {
          %0 = add %x, @w : _
          return %0
        }
      }
      """, file: "m")
    try ModuleWriter.write(module, to: folder["m.mir"])
    #expect(throws: Diagnostic.self) { try write(folder["m.mir"], to: folder["m.loops"]) { _ in } }
    try write(folder["m.mir"], to: folder["n.loops"]) { _ in }
    #expect(throws: Diagnostic.self) { try write(folder["n.loops"], to: folder["n.loops"]) { _ in } }
  }
}

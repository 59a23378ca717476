import Foundation
import TestSupport
import Testing

/// The compiler as a library: a C program compiles a model, loads it and runs it.
@Suite struct CompilerLibraryTests {
  @Test func cProgramCompilesAndRuns() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let program = try build(Martlet.here.appendingPathComponent("compile_and_run.c").path, "c99", in: folder)
    let result = try Martlet.run(program, [model, folder["cache"], folder["dense.so"]])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == "fine\n")
    #expect(FileManager.default.fileExists(atPath: folder["dense.h"]))
  }

  /// The program that README and Examples show.
  @Test func exampleRuns() throws {
    let folder = try TestFolder()
    let root = Martlet.here.deletingLastPathComponent().deletingLastPathComponent()
    let source = root.appendingPathComponent("Examples/c/in_process.c").path
    let program = try build(source, "c11", in: folder)
    let result = try Martlet.run(program, [Martlet.digits], environment: ["XDG_CACHE_HOME": folder["cache"]])
    #expect(result.status == 0 && result.output == "looks like a 1\n", "\(result.errors)")
    let text = try String(contentsOfFile: source, encoding: .utf8)
    let readme = try String(contentsOfFile: root.appendingPathComponent("README.md").path, encoding: .utf8)
    let shown = readme.components(separatedBy: "```c\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }.first { $0.contains("martlet_compiler_load") }
    for line in try #require(shown).split(separator: "\n") { #expect(text.contains(line), "\(line)") }
  }

  private func build(_ source: String, _ language: String, in folder: TestFolder) throws -> String {
    let sources = Martlet.here.deletingLastPathComponent().deletingLastPathComponent().path + "/Sources"
    let library = Martlet.folder.path
    let built = try Martlet.run(
      "/usr/bin/env",
      [
        "clang-22", "-std=\(language)", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I\(sources)/CAPI/include",
        "-I\(sources)/Runtime", source, "-L\(library)",
        "-lmartlet-c", "-Wl,-rpath,\(library)", "-Wl,--allow-shlib-undefined", "-o", folder["program"],
      ])
    #expect(built.status == 0, "\(built.errors)")
    return folder["program"]
  }
}

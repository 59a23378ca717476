import Foundation
import TestSupport
import Testing

/// The compiler as a library: a C program compiles a model, loads it and runs it.
@Suite struct CompilerLibraryTests {
  @Test func cProgramCompilesAndRuns() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let sources = Martlet.here.deletingLastPathComponent().deletingLastPathComponent().path + "/Sources"
    let library = Martlet.folder.path
    let built = try Martlet.run(
      "/usr/bin/env",
      [
        "clang-22", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I\(sources)/CAPI/include",
        "-I\(sources)/Runtime", Martlet.here.appendingPathComponent("compile_and_run.c").path, "-L\(library)",
        "-lmartlet-c", "-Wl,-rpath,\(library)", "-Wl,--allow-shlib-undefined", "-o", folder["program"],
      ])
    #expect(built.status == 0, "\(built.errors)")
    let result = try Martlet.run(folder["program"], [model, folder["cache"], folder["dense.so"]])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == "fine\n")
    #expect(FileManager.default.fileExists(atPath: folder["dense.h"]))
  }
}

@testable import Driver
import Foundation
import IR
import Support
import TestSupport
import Testing

/// What is true of artifacts as files.
@Suite(.serialized) struct ArtifactTests {
  static let suffixes = ["so", "a", "o", ""]

  /// The same model, compiled in other folders, with other temporary folders, from other working directories.
  @Test func equalInputsGiveEqualBytes() throws {
    let model = TestPaths.here.appendingPathComponent("Models/attention.mir").path
    var first: [String: Data] = [:]
    for round in 0..<2 {
      let folder = try TestFolder()
      let temporary = try TestFolder()
      for suffix in Self.suffixes {
        let name = suffix.isEmpty ? "m" : "m.\(suffix)"
        // Absolute the first time, relative to a working directory the second time.
        let output = round == 0 ? folder[name] : name
        try TestTool.run(
          TestTool.martlet, ["compile", model, "-o", output, "--target", "x86-64-v3", "--no-cache"],
          in: round == 0 ? "/" : folder.path, environment: ["TMPDIR": temporary.path])
        let bytes = try Data(contentsOf: URL(filePath: folder[name]))
        #expect(bytes.count > 1000)
        #expect(first[suffix, default: bytes] == bytes, "\(name) differs")
        first[suffix] = bytes
        for path in [folder.path, temporary.path] {
          #expect(bytes.range(of: Data(path.utf8)) == nil, "\(name) names the folder it was made in")
        }
      }
      // Nothing is left behind.
      #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(Set(left) == ["m", "m.a", "m.h", "m.o", "m.so"])
    }
  }

  /// What the list in `runtime.h` allows an object to need.
  static let allowed: Set<String> = [
    "memcpy", "memset", "memmove", "malloc", "free", "pthread_create", "pthread_join", "getauxval",
  ]

  @Test(arguments: ["x86-64-v3", "x86-64-v4", "aarch64", "riscv64gc"]) func objectsNeedLittle(_ target: String) throws {
    let folder = try TestFolder()
    for name in ["attention", "halving", "branch", "counter", "failures"] {
      let path = folder["\(name).o"]
      try CompiledModule.build(try TestPaths.model(name), .object, target: target, name: name, to: path)
      let undefined = Set(try symbols(of: path, "--undefined-only"))
      #expect(undefined.subtracting(Self.allowed) == [], "\(name) for \(target)")
      // One symbol for everybody; kernels and weights are the artifact's own.
      let exported = try TestTool.run("llvm-readelf-22", ["--symbols", path]).split(separator: "\n")
        .filter { $0.contains(" GLOBAL ") && $0.contains(" DEFAULT ") && !$0.contains(" UND ") }
      #expect(exported.count == 1 && exported.allSatisfy { $0.hasSuffix("\(name)_model") }, "\(name) for \(target)")
    }
  }

  private func symbols(of path: String, _ option: String) throws -> [String] {
    try TestTool.run("llvm-nm-22", [option, "--format=just-symbols", path]).split(separator: "\n").map(String.init)
  }

  /// A program without PIE or a stack that may be executed, and a library that needs no text relocations.
  @Test func librariesAreHardened() throws {
    let folder = try TestFolder()
    let path = folder["m.so"]
    try CompiledModule.build(try TestPaths.model("attention"), .shared, target: "x86-64-v3", name: "m", to: path)
    let headers = try TestTool.run("llvm-readelf-22", ["--program-headers", "--dynamic", path])
    #expect(!headers.contains("TEXTREL"))
    #expect(headers.split(separator: "\n").contains { $0.contains("GNU_STACK") && $0.contains("RW ") })
  }

  @Test(arguments: ["a", "so"]) func programsInCAndCPlusPlus(_ suffix: String) throws {
    let examples = TestPaths.root.appendingPathComponent("Examples")
    for (language, program, model) in [("c", "state.c", "state"), ("cpp", "attention.cpp", "attention")] {
      let folder = try TestFolder()
      let source = examples.appendingPathComponent(language)
      let input = source.appendingPathComponent("\(model).mir").path
      try TestTool.run(
        TestTool.martlet, ["compile", input, "-o", "\(model).\(suffix)", "--no-cache"], in: folder.path)
      try TestTool.run(
        language == "c" ? "cc" : "c++",
        [
          "-Wall", "-Wextra", "-Werror", "-I.", source.appendingPathComponent(program).path, "\(model).\(suffix)",
          "-o", "program", "-Wl,-rpath,$ORIGIN",
        ], in: folder.path)
      let printed = try TestTool.run(folder["program"], [])
      #expect(printed.hasSuffix("fine\n"), "\(program) says \(printed)")
    }
  }
}

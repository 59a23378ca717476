import Foundation
import TestSupport
import Testing

/// What the cache gives back is what a build would have made, and nothing else.
@Suite(.serialized) struct CacheTests {
  private let cache: TestFolder
  private let model: String

  init() throws {
    cache = try TestFolder()
    model = TestPaths.here.appendingPathComponent("Models/branch.mir").path
  }

  private func compile(_ output: String, _ options: String..., in folder: TestFolder) throws {
    try TestTool.run(
      TestTool.martlet, ["compile", model, "-o", output, "--cache-dir", cache.path] + options, in: folder.path)
  }

  private func files(_ folder: TestFolder) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
  }

  /// Files that happened to lie beside the first output are the user's.
  @Test func onlyFilesOfTheBuildAreKept() throws {
    let (first, second) = (try TestFolder(), try TestFolder())
    for suffix in ["h", "weights"] {
      try "mine".write(toFile: first["m.\(suffix)"], atomically: true, encoding: .utf8)
      try "yours".write(toFile: second["m.\(suffix)"], atomically: true, encoding: .utf8)
    }
    try compile("m", in: first)
    try compile("m", in: second)
    #expect(try files(second) == ["m", "m.h", "m.weights"])
    for suffix in ["h", "weights"] {
      #expect(try String(contentsOfFile: second["m.\(suffix)"], encoding: .utf8) == "yours")
    }
  }

  /// A home that cannot be written, as in many containers, is no reason to fail.
  @Test func foldersThatCannotBeMadeAreIgnored() throws {
    let folder = try TestFolder()
    let cache = ["--cache-dir", "/proc/none"]
    try TestTool.run(TestTool.martlet, ["compile", model, "-o", "m.so"] + cache, in: folder.path)
    #expect(try files(folder) == ["m.so", "m.h"])
    try TestTool.run(
      TestTool.martlet, ["run", model, "--random", "1", "--shape", "x=3"] + cache, in: folder.path)
  }

  /// A part that the clean-up took is made again.
  @Test func missingPartsAreMadeAgain() throws {
    let (first, second) = (try TestFolder(), try TestFolder())
    try compile("m.so", in: first)
    for name in try files(cache) where name.hasSuffix(".h") {
      try FileManager.default.removeItem(atPath: cache[name])
    }
    try compile("m.so", in: second)
    #expect(try files(second) == ["m.so", "m.h"])
  }
}

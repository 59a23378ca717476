import Foundation
import TestSupport
import Testing

/// Programs as files between two calls of `compile`.
@Suite struct ProgramFileTests {
  @Test func compilesOnFromTheText() throws {
    let folder = try TestFolder()
    let cache = folder["cache"]
    let model = try folder.write(Model.dense, to: "dense.mir")
    for phase in ["scheduled", "loops"] {
      let text = folder["\(phase).loops"]
      let written = try Martlet.run(
        "compile", model, "-o", text, "--to", phase, "--shape", "x=3x24", "--cache-dir", cache)
      #expect(written.status == 0 && written.errors.isEmpty, "\(written.errors)")
      let options = ["--threads", "2", "--name", "dense", "--cache-dir", cache]
      let direct = try Martlet.run(
        Martlet.path, ["compile", model, "-o", folder["direct.so"], "--shape", "x=3x24"] + options)
      let again = try Martlet.run(
        Martlet.path, ["compile", text, "-o", folder["again.so"], "--from", phase] + options)
      #expect(direct.status == 0 && again.status == 0, "\(direct.errors)\(again.errors)")
      #expect(try folder.read("direct.so") == folder.read("again.so"))
      // The suffix says it as well.
      let third = try Martlet.run(Martlet.path, ["compile", text, "-o", folder["third.so"], "--no-cache"] + options)
      #expect(third.status == 0, "\(third.errors)")
      #expect(try folder.read("direct.so") == folder.read("third.so"))
    }
    #expect(try folder.read("scheduled.loops") == folder.read("loops.loops"))
  }

  @Test func runsFromTheText() throws {
    let folder = try TestFolder()
    let text = folder["digits.loops"]
    let library = folder["digits.so"]
    #expect(try Martlet.run("compile", Martlet.digits, "-o", text, "--emit", "loops").status == 0)
    #expect(try Martlet.run("compile", Martlet.digits, "-o", library, "--no-cache").status == 0)
    var results: [Data] = []
    for model in [library, text] {
      let run = try Martlet.run(
        "run", model, "--random", "1", "--shape", "image=5x1x8x8", "--output-dir", folder["out"], "--cache-dir",
        folder["cache"])
      #expect(run.status == 0, "\(run.errors)")
      results.append(try folder.read("out/scores.npy"))
    }
    #expect(results[0] == results[1])
  }

  @Test func anEditedKernelIsCompiledAgain() throws {
    let folder = try TestFolder()
    let model = try folder.write(
      """
      module @m {
        entry @main(%x: f32[40]) -> (%y: f32[40]) {
          %y = neg %x : _
          return %y
        }
      }
      """, to: "m.mir")
    let options = ["--target", "x86-64-v3", "--cache-dir", folder["cache"]]
    #expect(try Martlet.run(Martlet.path, ["compile", model, "-o", folder["m.loops"]] + options).status == 0)
    #expect(try Martlet.run(Martlet.path, ["compile", folder["m.loops"], "-o", folder["a.so"]] + options).status == 0)
    let text = String(decoding: try folder.read("m.loops"), as: UTF8.self)
    #expect(text.contains("= neg %"))
    _ = try folder.write(text.replacing("= neg %", with: "= abs %"), to: "n.loops")
    #expect(
      try Martlet.run(
        Martlet.path, ["compile", folder["n.loops"], "-o", folder["b.so"], "--name", "a"] + options
      ).status == 0)
    #expect(try folder.read("a.so") != folder.read("b.so"))
  }

  @Test(arguments: [
    (["m.mir", "-o", "m.so", "--to", "loops"], 2, "--to loops does not lead to m.so"),
    (["m.mir", "-o", "m.x", "--to", "loops", "--emit", "graph"], 2, "--to loops does not lead to --emit graph"),
    (["m.mir", "-o", "n.mir", "--from", "llvm"], 3, "--from llvm: only what comes up to loops reads back"),
    (["m.mir", "-o", "m.so", "--from", "loops"], 1, "m.mir:1:1: expected 'program', found 'module'"),
    (["bad.loops", "-o", "m.so"], 1, "bad.loops:1:1: expected 'program', found 'nonsense'"),
    (["bad.loops", "-o", "m.so", "--from", "fused"], 1, "bad.loops:1:1: expected 'program'"),
    (["missing.loops", "-o", "m.so"], 1, "missing.loops"),
    (["empty.loops", "-o", "n.mir"], 2, "empty.loops is a program, which leads to no graph"),
    (["empty.loops", "-o", "n.so", "--shape", "x=3"], 2, "--shape: the shapes of a program are settled"),
    (["empty.loops", "-o", "n.so", "--target", "aarch64"], 2, "--target aarch64: empty.loops is for x86-64-v3"),
  ])
  func faultsAreToldInALine(_ words: [String], _ status: Int32, _ message: String) throws {
    let folder = try TestFolder()
    _ = try folder.write("module @m {}", to: "m.mir")
    _ = try folder.write("nonsense", to: "bad.loops")
    _ = try folder.write(
      "target \"x86-64-v3\" options \"\" source \"\" program @m weights 0 state 0 {}", to: "empty.loops")
    let outcome = try Martlet.run(
      "/bin/sh", ["-c", "cd \(folder.path) && exec \"$@\"", "sh", Martlet.path, "compile"] + words)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.isOneLine && outcome.errors.contains(message), "\(outcome.errors)")
  }
}

import Foundation
import Support
import TestSupport
import Testing

@Suite struct RunTests {
  /// A model, a library and an executable of it make the same inputs of a seed and the same outputs of them.
  @Test func modelLibraryAndExecutableAgree() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    #expect(try Martlet.run("compile", model, "-o", folder["dense.so"], "--cache-dir", folder["cache"]).status == 0)
    #expect(try Martlet.run("compile", model, "-o", folder["dense"], "--cache-dir", folder["cache"]).status == 0)
    for (program, out) in [(model, "a"), (folder["dense.so"], "b"), (folder["dense"], "c")] {
      let result = try Martlet.run(
        "run", program, "--random", "7", "--shape", "x=5x24", "--output-dir", folder[out], "--save-inputs",
        folder["\(out).in"], "--cache-dir", folder["cache"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.hasPrefix("y f32[5, 10]: "))
    }
    for file in ["x.npy", "w.npy"] {
      let bytes = try folder.read("a.in/\(file)")
      #expect(try folder.read("b.in/\(file)") == bytes)
      #expect(try folder.read("c.in/\(file)") == bytes)
    }
    for file in ["y.npy", "a_z.npy"] {
      let bytes = try folder.read("b/\(file)")
      #expect(try folder.read("c/\(file)") == bytes)
    }
    let list = try JSON.parse(Array(try folder.read("a/outputs.json")), file: "outputs.json")
    #expect(list.array?[1]["name"] == "a/z" && list.array?[1]["file"] == "a_z.npy")
    #expect(list.array?[1]["type"] == "f32" && list.array?[1]["shape"] == [5, 10])

    // Files give the shapes, here to the reference.
    let reference = try Martlet.run(
      "run", model, "--input", "x=\(folder["a.in/x.npy"])", "--input", "w=\(folder["a.in/w.npy"])", "--reference")
    #expect(reference.status == 0 && reference.output.hasPrefix("y f32[5, 10]: "))
  }

  /// `ENTRY/NAME` settles a shape in one entry and leaves the other open.
  @Test func shapesOfOneEntry() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.stages, to: "stages.mir")
    let cache = ["--cache-dir", folder["cache"]]
    let inspected = try Martlet.run("inspect", model, "--shape", "step/x=1x4", "--shape", "rate=2", "--json")
    #expect(inspected.status == 0, "\(inspected.errors)")
    #expect(inspected.output.contains("n") && !inspected.output.contains("\"p\""))
    #expect(try Martlet.run(Martlet.path, ["compile", model, "-o", folder["stages"]] + cache).status == 0)
    #expect(
      try Martlet.run(Martlet.path, ["compile", model, "-o", folder["stages.so"], "--shape", "step/x=1x4"] + cache)
        .status == 0)
    // Every way to run takes the shapes of both entries and uses its own.
    for program in [model, folder["stages"], folder["stages.so"]] {
      for (entry, result) in [("prompt", "y f32[5, 4]: "), ("step", "y f32[1, 4]: ")] {
        let shapes = ["--shape", "prompt/x=5x4", "--shape", "step/x=1x4", "--shape", "rate=2"]
        let outcome = try Martlet.run(
          Martlet.path, ["run", program, "--entry", entry, "--random", "3"] + shapes + cache)
        #expect(outcome.status == 0 && outcome.output.hasPrefix(result), "\(outcome.errors)")
      }
    }
    let one = try Martlet.run(
      Martlet.path,
      ["run", model, "--entry", "step", "--random", "3", "--save-inputs", folder["in"]] + cache
        + ["--shape", "step/x=1x4", "--shape", "rate=2"])
    #expect(one.status == 0, "\(one.errors)")
    // Files are those of the entry that runs: the other keeps what is open.
    let files = ["--input", "x=\(folder["in/x.npy"])", "--input", "rate=\(folder["in/rate.npy"])"]
    for arguments in [["--entry", "step"], ["--entry", "step", "--reference"]] {
      let outcome = try Martlet.run(Martlet.path, ["run", model] + arguments + files + cache)
      #expect(outcome.status == 0 && outcome.output.hasPrefix("y f32[1, 4]: "), "\(outcome.errors)")
    }
    for (arguments, message) in [
      (["--shape", "stop/x=1x4"], "--shape stop/x: there is no such input"),
      (["--shape", "step/x=5x4"], "--shape step/x: an extent is 1, not 5"),
      (["--shape", "x=5x4"], "ENTRY/NAME"), (["--entry", "stop"] + files, "there is no entry stop"),
    ] {
      let outcome = try Martlet.run(Martlet.path, ["run", model, "--random", "1"] + arguments + cache)
      #expect(outcome.status == 2 && outcome.isOneLine && outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  @Test func benchFieldsAreAsPromised() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    for expected in ["miss", "hit"] {
      let result = try Martlet.run(
        "bench", model, "--shape", "x=64x24", "--seconds", "0.05", "--threads", "1", "--json", "--cache-dir",
        folder["cache"])
      #expect(result.status == 0, "\(result.errors)")
      let row = try result.json
      #expect(row["model"] == "dense" && row["entry"] == "main" && row["threads"] == 1)
      #expect(row["cache"]?.string == expected)
      #expect(row["multiply_adds"]?["f32"] == 15360)
      for key in ["runs", "compile_ms", "load_ms", "workspace_bytes", "weights_bytes", "peak_rss_bytes"] {
        #expect(row[key]?.double != nil, "\(key)")
      }
      for key in ["min", "median", "p90"] { #expect(row["ms"]?[key]?.double ?? 0 > 0, "\(key)") }
      #expect(row["gflops"]?.double ?? 0 > 0)
    }
    let off = try Martlet.run("bench", model, "--shape", "x=1x24", "--seconds", "0.01", "--json", "--no-cache")
    #expect(try off.json["cache"] == "off")
  }

  /// Rows that a table does not have would be an error of the run.
  @Test func madeUpIndicesAreValid() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.lookup, to: "lookup.mir")
    let result = try Martlet.run("run", model, "--random", "3", "--reference")
    #expect(result.status == 0, "\(result.errors)")
    let bench = try Martlet.run("bench", model, "--seconds", "0.01", "--cache-dir", folder["cache"])
    #expect(bench.status == 0 || bench.status == 3, "\(bench.errors)")
  }

  @Test func verifyComparesWithTheReference() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let common = ["verify", model, "--shape", "x=5x24", "--cache-dir", folder["cache"], "--json"]
    let good = try Martlet.run(Martlet.path, common).json
    #expect(good["ok"] == true && good["outputs"]?.array?.count == 2)
    #expect(good["outputs"]?.array?[0]["name"] == "y")
    let perOp = try Martlet.run(Martlet.path, common + ["--per-op"]).json
    #expect(perOp["ok"] == true && perOp["ops"]?.array?.map { $0["name"] } == ["src:dense", "src:relu", "src:neg"])
    // Sums in another order differ somewhere in the last places.
    let strict = try Martlet.run(Martlet.path, common + ["--per-op", "--rtol", "0", "--atol", "0"])
    #expect(strict.status == 1)
    #expect(try strict.json["first"] == "src:dense")
  }

  @Test func bisectBlamesTheCodeWhenThePassesAreRight() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let right = try Martlet.run("bisect", model, "--shape", "x=5x24")
    #expect(right.status == 0 && right.output.contains("nothing to find"))
    let strict = try Martlet.run("bisect", model, "--shape", "x=5x24", "--rtol", "0", "--atol", "0")
    #expect(strict.status == 1 && strict.output.contains("code generation is wrong"))
    #expect(strict.output.contains("matmul at src:dense"))
  }

  @Test func inspectDescribesModelsAndArtifacts() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let json = try Martlet.run("inspect", model, "--json", "--html", folder["page.html"]).json
    #expect(json["ops"]?["matmul"] == 1 && json["parameters"] == 0)
    #expect(json["entries"]?.array?[0]["multiply_adds"] == "240 * n")
    #expect(String(decoding: try folder.read("page.html"), as: UTF8.self).contains("<svg"))
    for suffix in [".so", ".a", ".o", ""] {
      let artifact = folder["dense\(suffix)"]
      #expect(
        try Martlet.run(
          "compile", model, "-o", artifact, "--target", "aarch64", "--emit",
          suffix.isEmpty ? "object" : kinds[suffix] ?? ""
        )
        .status == 0)
      let metadata = try Martlet.run("inspect", artifact, "--json").json
      #expect(metadata["target"] == "aarch64" && metadata["entries"]?.array?.count == 1, "\(suffix)")
    }
    let foreign = try Martlet.run("run", folder["dense.so"], "--random", "1", "--shape", "x=1x24")
    #expect(foreign.status == 3 && foreign.isOneLine)
  }

  private let kinds = [".so": "shared", ".a": "static", ".o": "object"]

  @Test func optPrintsWhatReadsBack() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let text = try Martlet.run("opt", model, "--passes", "canonicalize,fuse-epilogues").output
    #expect(text.contains("fusion"))
    let again = try folder.write(text, to: "again.mir")
    #expect(try Martlet.run("opt", again, "--passes", "dead-code").output == text)
    let passes = try Martlet.run("passes", "--json").json
    #expect(passes["pipeline"]?.array?.contains { $0["pass"] == "fuse-epilogues" } ?? false)
  }
}

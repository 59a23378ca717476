import Foundation
import Support
import TestSupport
import Testing

/// `--profile`: what artifacts count, and what `bench` makes of it.
@Suite struct ProfileTests {
  private static let loop = """
    module @loop {
      entry @main(%x: f32[64, 64]) -> (%y: f32[64, 64], %z: i64[5]) {
        %n = constant {value = i64[] [5]} : i64[]
        %0, %1 = loop %n, _, %x {extent = 5} body(%i: i64[], %t: bool[], %a: f32[64, 64]) {
          %2 = matmul %a, %x : f32[64, 64] loc "src:step"
          %3 = tanh %2 : f32[64, 64] loc "src:<tanh> & more"
          yield %t, %3, %i
        } : f32[64, 64], i64[5]
        return %0, %1
      }
    }
    """

  private func bench(_ arguments: String..., in folder: TestFolder) throws -> Martlet.Outcome {
    try Martlet.run(
      Martlet.path, ["bench"] + arguments + ["--seconds", "0.05", "--cache-dir", folder["cache"]])
  }

  /// Every step has its source's names, and together they take what a run takes.
  @Test(arguments: ["1", "2"]) func stepsAddUp(_ threads: String) throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let result = try bench(
      model, "--shape", "x=64x24", "--threads", threads, "--profile", "--json", in: folder)
    #expect(result.status == 0, "\(result.errors)")
    let profile = try #require(try result.json["profile"])
    let steps = try #require(profile["steps"]?.array)
    let whole = try #require(profile["run_ms"]?.double)
    let sum = steps.reduce(0) { $0 + ($1["ms"]?.double ?? 0) }
    #expect(profile["entry"] == "main" && profile["runs"]?.int ?? 0 > 2)
    #expect(whole > 0 && sum > 0)
    // Both come from the same ticks: only rounding keeps them apart.
    let attributed = try #require(profile["steps_ms"]?.double)
    let rest = try #require(profile["unattributed_ms"]?.double)
    let shares = steps.reduce(0.0) { $0 + ($1["share"]?.double ?? 0) }
    #expect(abs(sum - attributed) <= 1e-9 * whole)
    #expect(abs(sum + rest - whole) <= 1e-9 * whole)
    #expect(abs(shares - sum / whole) <= 1e-9)
    // What a run takes, bench measures with another clock; the first holds most of the second.
    let median = try #require(try result.json["ms"]?["median"]?.double)
    #expect(whole < 100 * median && median < 100 * whole)
    let names = Set(steps.flatMap { $0["names"]?.array ?? [] }.compactMap(\.string))
    #expect(names.isSuperset(of: ["src:dense", "src:relu", "src:neg"]))
    let product = try #require(steps.first { $0["multiply_adds"] == .number(15360) })
    #expect(product["kind"]?.string?.hasPrefix("matmul") ?? false)
    #expect(product["kernel"]?.string?.hasPrefix("k_matmul_") ?? false)
    #expect(product["gflops"]?.double ?? 0 > 0 && product["peak_share"]?.double ?? 0 > 0)
    let times = steps.compactMap { $0["ms"]?.double }
    #expect(times == times.sorted(by: >) && times.count == steps.count)
    for step in steps { #expect(step["calls"] == profile["runs"] && step["bytes"]?.double ?? 0 > 0) }
  }

  /// A step in a loop counts once an iteration.
  @Test func loopsCountCalls() throws {
    let folder = try TestFolder()
    let model = try folder.write(Self.loop, to: "loop.mir")
    let json = try bench(model, "--threads", "1", "--profile", "--json", in: folder).json
    let steps = try #require(json["profile"]?["steps"]?.array)
    let product = try #require(steps.first { $0["multiply_adds"]?.double ?? 0 > 0 })
    #expect(product["calls_per_run"] == .number(5))
    #expect(product["multiply_adds"] == .number(5 * 64 * 64 * 64))
    #expect(product["names"] == ["src:step", "src:<tanh> & more"] && product["kind"] == "matmul+tanh")

    let text = try bench(model, "--threads", "1", "--profile", in: folder).output
    let lines = text.split(separator: "\n").map(String.init)
    #expect(text.contains("src:step, src:<tanh> & more"))
    #expect(lines.contains { $0.contains("between steps") } && lines.last?.hasSuffix("total") ?? false)
    // The columns of the table stand under their titles.
    let title = try #require(lines.first { $0.contains("% of peak") })
    let place = try #require(title.range(of: "kind")).lowerBound.utf16Offset(in: title)
    for line in lines.drop(while: { $0 != title }).dropFirst() {
      let start = line.index(line.startIndex, offsetBy: place)
      #expect(line[start] != " " && line[line.index(before: start)] == " ", "\(line)")
    }
  }

  /// Counting is an option of its own: kept artifacts are told apart, and those without it say so.
  @Test func onlyWhereItIsAskedFor() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let shape = ["--shape", "x=8x24", "--cache-dir", folder["cache"]]
    for (name, options) in [("plain", []), ("counted", ["--profile"]), ("again", [])] {
      let result = try Martlet.run(
        Martlet.path, ["compile", model, "-o", folder["\(name).so"], "--name", "m"] + shape + options)
      #expect(result.status == 0, "\(result.errors)")
    }
    let (plain, counted) = (try folder.read("plain.so"), try folder.read("counted.so"))
    #expect(plain == (try folder.read("again.so")) && plain != counted)
    // Nothing of it is left behind where nobody asked.
    for word in ["martlet_ticks", "profile", "src:neg, "] {
      #expect(plain.range(of: Data(word.utf8)) == nil, "\(word)")
    }
    let refused = try bench(folder["plain.so"], "--profile", "--shape", "x=8x24", in: folder)
    #expect(refused.status == 2 && refused.isOneLine && refused.errors.contains("compile it with --profile"))
    let taken = try bench(folder["counted.so"], "--profile", "--json", in: folder)
    #expect(taken.status == 0, "\(taken.errors)")
    #expect(try taken.json["profile"]?["steps"]?.array?.isEmpty == false)
    let both = try bench(model, "--profile", "--vs", "onnxruntime", in: folder)
    #expect(both.status == 2 && both.isOneLine)
  }

  /// An open extent is settled by the run, and so is the work.
  @Test func openShapesHaveWork() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let compiled = try Martlet.run("compile", model, "-o", folder["m.so"], "--profile", "--cache-dir", folder["cache"])
    #expect(compiled.status == 0, "\(compiled.errors)")
    for rows in [3, 50] {
      let json = try bench(folder["m.so"], "--profile", "--json", "--shape", "x=\(rows)x24", in: folder).json
      let steps = try #require(json["profile"]?["steps"]?.array)
      #expect(steps.contains { $0["multiply_adds"] == .number(Double(rows * 240)) })
    }
  }

  /// Clocks of other machines build too.
  @Test(arguments: ["aarch64", "x86-64-v3"]) func compilesFor(_ target: String) throws {
    let folder = try TestFolder()
    let model = try folder.write(Self.loop, to: "loop.mir")
    for suffix in ["so", "o", "a"] {
      let result = try Martlet.run(
        "compile", model, "-o", folder["m.\(suffix)"], "--target", target, "--profile", "--cache-dir", folder["cache"])
      #expect(result.status == 0, "\(result.errors)")
    }
  }
}

import Foundation
import Support
import TestSupport
import Testing

/// Each mistake gets one line that says what and where, the right status, and nothing is lost.
@Suite struct BadInputTests {
  private func expect(
    _ arguments: [String], _ status: Int32, _ words: String..., environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Martlet.run(Martlet.path, arguments, environment: environment)
    #expect(result.status == status, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(result.isOneLine, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(result.errors.hasPrefix("martlet: error: "), sourceLocation: sourceLocation)
    for word in words {
      #expect(result.errors.contains(word), "\(word) in \(result.errors)", sourceLocation: sourceLocation)
    }
  }

  @Test func commandLines() throws {
    try expect(["compil", "m.onnx"], 2, "did you mean compile?")
    try expect(["compile", "m.onnx", "-o", "m.so", "--tarqet", "host"], 2, "did you mean --target?")
    try expect(["compile", "m.onnx"], 2, "-o OUT is missing")
    try expect(["compile", Martlet.digits, "-o", "m.onnx"], 2, "martlet convert")
    try expect(["convert", Martlet.digits, "-o", "m.so"], 2, "ends in .onnx")
    try expect(["convert", Martlet.digits, "-o", "m.onnx", "--to", "fused"], 2, "does not lead to a model file")
    try expect(["run"], 2, "MODEL")
    try expect(["opt", "m.mir", "--passes", "canonicalise"], 2, "did you mean canonicalize?")
    try expect(["bench", Martlet.digits, "--vs", "onnxruntim"], 2, "did you mean onnxruntime?")
    // What only `bench` itself runs is not suggested.
    try expect(["bench-wo"], 2, "unknown command")
    #expect(try !Martlet.run("help").output.contains("bench-worker"))
  }

  @Test func models() throws {
    let folder = try TestFolder()
    let out = ["-o", folder["m.so"], "--no-cache"]
    try expect(["compile", folder["none.onnx"]] + out, 1, "none.onnx", "no such file")
    try expect(["compile", folder.path + "/x.pdf"] + out, 2, "is no model")

    let broken = try folder.write("module @m {\n  entry @main(%x: f32[2) -> () {\n", to: "broken.mir")
    try expect(["compile", broken] + out, 1, "broken.mir:2:", "expected")
    let unknown = try folder.write(
      "module @m {\n  entry @main(%x: f32[2]) -> (%y: f32[2]) {\n    %0 = rellu %x : f32[2]\n    return %0\n  }\n}\n",
      to: "unknown.mir")
    try expect(["compile", unknown] + out, 1, "unknown.mir:3:", "rellu")

    let bytes = try Data(contentsOf: URL(fileURLWithPath: Martlet.digits))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: folder["half.onnx"]))
    try expect(["compile", folder["half.onnx"]] + out, 1, "half.onnx", "byte")
    _ = try folder.write("no model at all", to: "text.onnx")
    try expect(["inspect", folder["text.onnx"]], 1, "text.onnx")
    try expect(["compile", Martlet.digits, "--target", "zenver5"] + out, 2, "did you mean znver5?")
    #expect(try !folder.names.contains("m.so"))
  }

  @Test func shapesAndInputs() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    let cache = ["--cache-dir", folder["cache"]]
    try expect(["run", Martlet.digits, "--random", "1", "--shape", "image=1x1x9x9"] + cache, 2, "image", "9")
    try expect(["run", model, "--random", "1", "--shape", "x=2x25"] + cache, 2, "x")
    try expect(["run", model, "--random", "1", "--shape", "x=99x24"] + cache, 2, "n is 99")
    try expect(["run", model, "--random", "1", "--shape", "x=2x"] + cache, 2)
    try expect(["run", model, "--random", "1"] + cache, 2, "--shape x=")
    try expect(
      ["run", model, "--shape", "x=2x24", "--shape", "w=24x10"] + cache, 2, "has a shape but no elements")
    try expect(["run", model] + cache, 2, "input x is missing")
    try expect(["run", model, "--random", "1", "--shape", "xx=2x24"] + cache, 2, "xx")
    try expect(["run", model, "--entry", "mian", "--random", "1"] + cache, 2, "did you mean main?")

    _ = try Martlet.run(
      "run", model, "--random", "1", "--shape", "x=2x24", "--save-inputs", folder["in"], "--reference")
    try expect(["run", model, "--input", "x=\(folder["in/w.npy"])", "--random", "1"] + cache, 1, "in/w.npy")
    _ = try folder.write("\u{93}NUMPY", to: "bad.npy")
    try expect(["run", model, "--input", "x=\(folder["bad.npy"])", "--random", "1"] + cache, 1, "bad.npy")
    try expect(["run", model, "--input", "x=\(folder["none.npy"])", "--random", "1"] + cache, 1, "none.npy")
    try expect(["verify", model, "--inputs", folder["none.npz"]] + cache, 1, "none.npz")
  }

  @Test func artifactsThatCannotRun() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    for suffix in ["o", "a"] {
      #expect(try Martlet.run("compile", model, "-o", folder["m.\(suffix)"]).status == 0)
      try expect(["run", folder["m.\(suffix)"], "--random", "1"], 2, "cannot be run")
    }
    let text = try folder.write("hello", to: "text.so")
    try expect(["run", text], 2, "neither a model nor an artifact")
    let elf = try folder.write("\u{7f}ELF", to: "short.so")
    try expect(["run", elf], 1, "short.so")
    try expect(["run", Martlet.folder.path + "/libmartlet-c.so"], 1, "no model that Martlet compiled")
  }

  @Test func toolsAndFolders() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    try expect(
      ["compile", model, "-o", folder["m.so"], "--no-cache"], 1, "clang-22", "make setup", environment: ["PATH": ""])
    try expect(["compile", model, "-o", folder["none/m.so"]], 1, "there is no folder")
    try expect(["compile", model, "-o", model + "/m.so"], 1, "is no folder")
    try expect(["compile", model, "-o", "/proc/m.so"], 1, "cannot write /proc/m.so")
    try expect(["compile", model, "-o", folder.path], 1, "is a folder")
    try expect(
      ["bench", Martlet.digits, "--shape", "image=1x1x8x8", "--seconds", "0.01", "--vs", "onnxruntime"], 1, "python3",
      environment: ["PATH": "/nowhere"])
    #expect(try folder.names == ["dense.mir"])
  }

  /// An interrupted compilation leaves the old artifact, and nothing of its own.
  @Test(arguments: [SIGINT, SIGTERM]) func interruption(_ signal: Int32) throws {
    let folder = try TestFolder()
    let scratch = try TestFolder()
    let model = try folder.write(Model.slow(60), to: "slow.mir")
    _ = try folder.write("the old one", to: "slow.so")
    let (process, output, errors) = try Martlet.start(
      // Whoever runs the tests in the background ignores interrupts, and children inherit that.
      "/usr/bin/env",
      ["--default-signal=INT,TERM", Martlet.path, "compile", model, "-o", folder["slow.so"], "--no-cache"],
      ["TMPDIR": scratch.path])
    // The temporary folder appears when the artifact is begun.
    for _ in 0..<1000 where try scratch.names.isEmpty { usleep(5000) }
    kill(process.processIdentifier, signal)
    _ = output.fileHandleForReading.readDataToEndOfFile()
    _ = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 128 + signal)
    #expect(try folder.names == ["slow.mir", "slow.so"])
    #expect(try folder.read("slow.so") == Data("the old one".utf8))
    #expect(try scratch.names == [])
  }
}

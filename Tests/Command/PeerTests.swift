import Foundation
import Support
import TestSupport
import Testing

/// Other engines beside Martlet: what is asked of them, and what happens without them.
@Suite struct PeerTests {
  /// A `python3` that has no packages, or that knows of some but cannot run them.
  private func python(in folder: TestFolder, installed: String) throws -> [String: String] {
    let script = """
      #!/bin/sh
      case "$2" in
      *find_spec*) [ "$3" = "\(installed)" ] ;;
      *) echo "this model is too strange" >&2; exit 1 ;;
      esac
      """
    let path = try folder.write(script, to: "python3")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let rest = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return ["PATH": "\(URL(fileURLWithPath: path).deletingLastPathComponent().path):\(rest)"]
  }

  private func bench(_ folder: TestFolder, installed: String) throws -> Martlet.Outcome {
    try Martlet.run(
      "bench", Martlet.digits, "--shape", "image=1x1x8x8", "--threads", "1", "--seconds", "0.05", "--vs",
      "onnxruntime,openvino", "--json", "--cache-dir", folder["cache"],
      environment: try python(in: folder, installed: installed))
  }

  @Test func missingPeersAreSkipped() throws {
    let result = try bench(try TestFolder(), installed: "nothing")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("skipped: onnxruntime is not installed"))
    #expect(result.errors.contains("skipped: openvino is not installed"))
    #expect(try result.json["rows"]?.array?.count == 1)
  }

  @Test func peersThatFailAreSkipped() throws {
    let result = try bench(try TestFolder(), installed: "openvino")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("skipped: openvino failed: this model is too strange"))
    #expect(try result.json["rows"]?.array?.count == 1)
  }

  @Test func resultsOfOnnxruntimeAreCompared() throws {
    let probe = try Martlet.run("/usr/bin/env", ["python3", "-c", "import onnx, onnxruntime"])
    guard probe.status == 0 else {
      print("skipped: python3 has no onnxruntime and onnx to compare with")
      return
    }
    let folder = try TestFolder()
    let common = [
      "verify", Martlet.digits, "--shape", "image=3x1x8x8", "--against", "onnxruntime", "--cache-dir", folder["cache"],
      "--json",
    ]
    let whole = try Martlet.run(Martlet.path, common)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try whole.json["outputs"]?.array?.first?["name"]?.string == "scores")

    let single = try Martlet.run(Martlet.path, common + ["--per-op"])
    #expect(single.status == 0, "\(single.errors)")
    let ops = try #require(try single.json["ops"]?.array)
    #expect(ops.count >= 4)
    #expect(try single.json["first"] == .null)

    // Of two roundings of a sum one is hardly ever the other, so that without tolerance something differs.
    let strict = try Martlet.run(Martlet.path, common + ["--per-op", "--rtol", "0", "--atol", "0"])
    #expect(strict.status == 1)
    #expect(try strict.json["first"]?.string?.hasPrefix("onnx:") == true)

    let versus = try Martlet.run(
      "bench", Martlet.digits, "--shape", "image=1x1x8x8", "--threads", "1", "--seconds", "0.05", "--vs", "onnxruntime",
      "--json", "--cache-dir", folder["cache"])
    #expect(versus.status == 0, "\(versus.errors)")
    let row = try #require(try versus.json["rows"]?.array?.last)
    #expect(row["engine"]?.string == "onnxruntime")
    #expect(row["ratio"]?.double ?? 0 > 0)
    #expect(row["ratio_min"]?.double ?? 0 > 0)
  }
}

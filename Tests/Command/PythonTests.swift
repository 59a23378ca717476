import Foundation
import Testing

/// What is tested in Python: the package, and a sample of the ONNX project's own tests of backends.
///
/// `make conformance` runs all of the latter.
@Suite struct PythonTests {
  private static let tests = Martlet.here.deletingLastPathComponent()

  @Test func packageTestsPass() throws {
    guard try has("numpy") else { return print("skipped: python3 has no numpy") }
    let result = try python(["-m", "unittest", "discover", "-s", Self.tests.appending(path: "Python").path])
    for line in result.output.split(separator: "\n") where line.hasPrefix("skipped:") { print(line) }
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func sampleOfONNXTestsPasses() throws {
    guard try has("numpy, onnx, ml_dtypes") else { return print("skipped: python3 has no onnx or no ml_dtypes") }
    let script = Self.tests.appending(path: "Conformance/onnx/run.py").path
    let result = try python([script, "--sample", "60"])
    #expect(result.status == 0, "\(result.output)\(result.errors)")
  }

  private func has(_ modules: String) throws -> Bool { try python(["-c", "import \(modules)"]).status == 0 }

  private func python(_ arguments: [String]) throws -> Martlet.Outcome {
    let library = Martlet.folder.appending(path: "libmartlet-c.so").path
    return try Martlet.run(
      "/usr/bin/env", ["timeout", "600", "python3"] + arguments,
      environment: ["MARTLET_LIBRARY": library, "PYTHONDONTWRITEBYTECODE": "1"])
  }
}

import Support
import Testing

/// What there is: `ops --coverage` and `kernels --explain`.
@Suite struct CatalogTests {
  @Test func coverageTellsWhatHasCode() throws {
    let result = try Martlet.run("ops", "--coverage", "--json")
    #expect(result.status == 0)
    let json = try result.json
    let ops = json["ops"]?.array ?? []
    #expect(ops.first { $0["name"] == "matmul" }?["code"] == true)
    // Numbers as texts are evaluated only.
    #expect(ops.first { $0["name"] == "string_format" }?["code"] == false)
    let operators = json["onnx"]?.array ?? []
    let gemm = operators.first { $0["name"] == "Gemm" }?["versions"]?.array ?? []
    #expect(!gemm.isEmpty)
    #expect(operators.count > 100)
  }

  @Test func tilesAreRankedByCost() throws {
    let result = try Martlet.run("kernels", "--explain", "197x768x3072", "--target", "x86-64-v3", "--json")
    let json = try result.json
    let cycles = (json["tiles"]?.array ?? []).compactMap { $0["cycles"]?.double }
    #expect(cycles.count > 10 && cycles == cycles.sorted())
    #expect((json["tiles"]?.array ?? []).allSatisfy { ($0["share_of_peak"]?.double ?? 2) <= 1 })
  }

  @Test(arguments: ["7", "1x2", "0x1x1", "1x2x3x4", "axbxc", "99999999999999999999x1x1"])
  func sizesAreChecked(_ size: String) throws {
    let result = try Martlet.run("kernels", "--explain", size)
    #expect(result.status == 2)
    #expect(result.errors.contains("three extents expected") && result.isOneLine)
  }
}

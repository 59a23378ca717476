import Support
import Testing

@testable import Targets

@Suite struct ProfileTests {
  @Test func everyFileReads() throws {
    let all = try Profile.all
    #expect(all.count == 22)
    #expect(all.first?.name == "x86-64" && all.last?.name == "wasm32-simd")
    #expect(Profile.names == all.map(\.name))
  }

  @Test func childrenInheritAndAdd() throws {
    let v3 = try Profile.named("x86-64-v3")
    let zen = try Profile.named("znver5")
    #expect(zen.triple == v3.triple)
    #expect(zen.requires.starts(with: v3.requires))
    #expect(zen.requires.contains("avx512f") && zen.requires.contains("avx512vnni"))
    #expect(zen.tune == "sapphirerapids")
    #expect(zen.lanes(bits: 32) == 16 && v3.lanes(bits: 32) == 8)
    #expect(zen.link.sysroot == nil && zen.emulator == nil)
  }

  @Test func machinesWithoutASystemMakeObjectsOnly() throws {
    for name in ["cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "apple-m1", "apple-m4"] {
      let profile = try Profile.named(name)
      #expect(profile.link.loader == nil && profile.link.libcPackage == nil, "\(name)")
      #expect(profile.hasThreads == profile.hasHeap, "\(name)")
    }
    let wasm = try Profile.named("wasm32-simd")
    #expect(wasm.link.loader == nil && wasm.link.libcPackage == "wasi-libc" && wasm.pointerBits == 32)
  }

  @Test func machinesWithoutVectorsHaveOneLane() throws {
    let scalar = try Profile.named("riscv64gc")
    #expect(!scalar.hasVectors)
    for bits in [8, 16, 32, 64] { #expect(scalar.lanes(bits: bits) == 1) }
    #expect(try Profile.named("riscv64gcv").lanes(bits: 8) == 16)
  }

  @Test(arguments: Profile.names) func numbersAddUp(_ name: String) throws {
    let profile = try Profile.named(name)
    #expect(profile.pointerBits == 32 || profile.pointerBits == 64)
    #expect(profile.l1Bytes <= profile.l2Bytes && profile.l2Bytes <= profile.l3Bytes)
    // Two halves of an address are what artifacts for 32 bits cannot use.
    #expect(profile.pointerBits == 64 || profile.memoryLimitBytes != nil)
    #expect(profile.cores == 1 || profile.hasThreads)
    #expect(profile.summary.count <= 120)
  }

  @Test func armNamesItsCrossPackage() throws {
    let arm = try Profile.named("aarch64")
    #expect(arm.link.libcPackage == "libc6-dev-arm64-cross")
    #expect(arm.emulator?.first == "qemu-aarch64")
    #expect(arm.architecture == "aarch64")
  }

  @Test func unknownNamesAreUsageErrors() {
    expect(.usage, "unknown target \"znver6\" (did you mean znver4?)") { () throws(Diagnostic) in
      _ = try Profile.named("znver6")
    }
    expect(
      .usage, "unknown target \"playstation\" (there is \(Profile.names.joined(separator: ", ")), host)"
    ) { () throws(Diagnostic) in _ = try Profile.named("playstation") }
  }

  @Test(arguments: [
    ("{", "odd.json:1:2: a key in quotes expected"),
    ("[]", "odd.json: an object expected"),
    (#"{"like": 3}"#, "odd.json: like: a profile's name expected"),
    (#"{"like": "none"}"#, "odd.json: like: there is no profile none"),
    (#"{"like": "odd"}"#, "odd.json: like: inherits from itself"),
    (#"{"like": "whole", "vectorBits": "wide"}"#, "odd.json: vectorBits: a whole number expected"),
    (#"{"like": "whole", "vectorBits": 0}"#, "odd.json: vectorBits: 0 is not within 32 and 4096"),
    (#"{"like": "whole", "dot4": "vnny"}"#, #"odd.json: dot4: "vnny" is none of none, vnni, avxvnni, sdot, usdot"#),
    (#"{"like": "whole", "hasFMA": 1}"#, "odd.json: hasFMA: true or false expected"),
    (#"{"like": "whole", "cpu": ""}"#, "odd.json: cpu: is empty"),
    (#"{"like": "whole", "requires": ["sse2"]}"#, "odd.json: requires: sse2 comes twice"),
    (#"{"like": "whole", "features": [1]}"#, "odd.json: features: a list of texts expected"),
    (#"{"like": "whole", "core": 3}"#, "odd.json: core: no such field (did you mean cores?)"),
    (#"{"summary": "x"}"#, "odd.json: emulation: is missing"),
  ])
  func errorsNameFileAndField(text: String, message: String) throws {
    let whole = try #require(ProfileTests.text(of: "x86-64"))
    expect(.invalid, message) { () throws(Diagnostic) in
      _ = try ProfileReader.read("odd") { name in
        switch name {
        case "odd": Array(text.utf8)
        case "whole": whole
        default: nil
        }
      }
    }
  }

  private static func text(of name: String) -> [UInt8]? { Profile.embeddedText(name) }

  private func expect(_ kind: Diagnostic.Kind, _ message: String, _ body: () throws(Diagnostic) -> Void) {
    do throws(Diagnostic) {
      try body()
      Issue.record("nothing thrown; expected: \(message)")
    } catch {
      #expect(error.kind == kind)
      #expect(error.description == message)
    }
  }
}

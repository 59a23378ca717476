import Support
import Testing

@testable import Targets

@Suite struct ProfileTests {
  @Test func everyFileReads() throws {
    let all = try Profile.all
    #expect(all.map(\.name) == ["x86-64-v3", "x86-64-v4", "znver5", "aarch64"])
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

  @Test func armNamesItsCrossPackage() throws {
    let arm = try Profile.named("aarch64")
    #expect(arm.link.libcPackage == "libc6-dev-arm64-cross")
    #expect(arm.emulator == "qemu-aarch64")
    #expect(arm.architecture == "aarch64")
  }

  @Test func unknownNamesAreUsageErrors() {
    expect(.usage, "unknown target \"znver4\" (did you mean znver5?)") { () throws(Diagnostic) in
      _ = try Profile.named("znver4")
    }
    expect(
      .usage, "unknown target \"playstation\" (there is x86-64-v3, x86-64-v4, znver5, aarch64, host)"
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
    (#"{"like": "whole", "requires": ["fma"]}"#, "odd.json: requires: fma comes twice"),
    (#"{"like": "whole", "features": [1]}"#, "odd.json: features: a list of texts expected"),
    (#"{"like": "whole", "core": 3}"#, "odd.json: core: no such field (did you mean cores?)"),
    (#"{"summary": "x"}"#, "odd.json: emulation: is missing"),
  ])
  func errorsNameFileAndField(text: String, message: String) throws {
    let whole = try #require(ProfileTests.text(of: "x86-64-v3"))
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

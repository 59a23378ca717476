import Testing

@testable import Targets

@Suite struct HostTests {
  private static let baseFlags = "fpu sse sse2"
  private static let v3Flags =
    baseFlags + " pni ssse3 sse4_1 sse4_2 cx16 popcnt lahf_lm xsave avx avx2 bmi1 bmi2 f16c fma abm movbe"
  private static let v4Flags = v3Flags + " avx512f avx512dq avx512cd avx512bw avx512vl"
  private static let zenFlags =
    v4Flags + " avx512ifma avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg avx512_vpopcntdq avx512_bf16"
    + " avx_vnni gfni sse4a aes vaes pclmulqdq vpclmulqdq 3dnowprefetch"
  private static let intelFlags =
    v4Flags + " avx512ifma avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg avx512_vpopcntdq gfni aes vaes pclmulqdq"
    + " vpclmulqdq"

  @Test(arguments: [
    (baseFlags, "x86-64"), (v3Flags, "x86-64-v3"), (v4Flags, "x86-64-v4"), (zenFlags, "znver5"),
    (zenFlags.replacing(" avx_vnni", with: ""), "znver4"), (intelFlags, "icelake"),
    (intelFlags + " avx512_bf16 avx512_fp16 avx_vnni 3dnowprefetch", "sapphirerapids"),
  ])
  func picksTheBest(flags: String, name: String) throws {
    let host = HostFeatures(architecture: "x86_64", cpuinfo: "processor\t: 0\nflags\t\t: \(flags)\nbugs\t: fma\n")
    #expect(try Profile.best(for: host).name == name)
  }

  @Test func readsArmFeatures() throws {
    let host = HostFeatures(architecture: "aarch64", cpuinfo: "processor\t: 0\nFeatures\t: fp asimd evtstrm\n")
    #expect(try Profile.best(for: host).name == "aarch64")
  }

  @Test(arguments: [
    ("fp asimd evtstrm", "aarch64"), ("fp asimd asimddp asimdhp atomics asimdrdm", "neoverse-n1"),
    ("fp asimd asimddp asimdhp atomics asimdrdm i8mm bf16 sve2", "neoverse-v2"),
  ])
  func picksTheBestOfArm(features: String, name: String) throws {
    let host = HostFeatures(architecture: "aarch64", cpuinfo: "Features\t: \(features)\n")
    #expect(try Profile.best(for: host).name == name)
  }

  @Test func unknownMachinesAreToldSo() {
    let host = HostFeatures(architecture: "pdp11", cpuinfo: "flags : sse sse2\n")
    #expect(throws: (any Error).self) { try Profile.best(for: host) }
  }

  @Test func thisMachineHasAProfile() throws {
    #expect(try Profile.named("host") == Profile.host())
  }
}

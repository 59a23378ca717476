import CLLVM
import Targets

/// The machine that code is generated for, as far as lowering needs to know it.
///
/// Everything here is data of a profile. Lowering asks for properties (is there
/// a fused multiply-add?), never for a processor's name.
public struct MachineOptions: Hashable, Sendable {
  /// How the u8 x s8 dot product of four is computed.
  public enum DotProduct: String, Hashable, Sendable, CaseIterable {
    /// Plain 32-bit multiplies; right on every machine.
    case widening
    /// x86 `pmaddwd` on pairs widened to 16 bits: exact, unlike `pmaddubsw`.
    case multiplyAddPairs
    /// x86 `vpdpbusd`.
    case vnni
    /// AArch64 `usdot`.
    case i8mm
    /// AArch64 `sdot`, which takes signed bytes only: the unsigned ones are shifted by 128, and that is put back.
    case signed
  }

  public var triple: String
  public var cpu: String
  /// The schedule model to use; it may differ from `cpu` where LLVM's own model of that is wrong.
  public var tuneCPU: String
  /// LLVM's feature list: `+avx512f,-sse4a`.
  public var features: String
  /// In bits; zero leaves LLVM's default.
  public var preferVectorWidth: Int

  public var hasFMA: Bool
  /// Whether f64 arithmetic is done by instructions.
  public var hasF64 = true
  /// Floor, ceil, trunc and rint in one instruction (SSE4.1, AArch64): else they would become calls of libm.
  public var hasRounding: Bool
  /// Whether conversions of vectors to integers saturate (AArch64, RISC-V, WebAssembly).
  public var hasSaturatingConversion = false
  public var hasF16Conversion: Bool
  /// f32 to bf16 in one instruction. x86's flushes subnormal values to zero.
  public var hasBF16Conversion: Bool
  public var dotProduct: DotProduct
  /// The widest vector of the dot instruction, in bytes.
  public var dotVectorBytes: Int

  public var isPositionIndependent = true
  public var unwindTables = true
  /// Kernels are hidden symbols of their artifact, unless something loads them one by one.
  public var exportsKernels = false

  public init(
    triple: String, cpu: String, tuneCPU: String? = nil, features: String = "", preferVectorWidth: Int = 0,
    hasFMA: Bool = false, hasRounding: Bool = false, hasF16Conversion: Bool = false, hasBF16Conversion: Bool = false,
    dotProduct: DotProduct = .widening, dotVectorBytes: Int = 16
  ) {
    self.triple = triple
    self.cpu = cpu
    self.tuneCPU = tuneCPU ?? cpu
    self.features = features
    self.preferVectorWidth = preferVectorWidth
    self.hasFMA = hasFMA
    self.hasRounding = hasRounding
    self.hasF16Conversion = hasF16Conversion
    self.hasBF16Conversion = hasBF16Conversion
    self.dotProduct = dotProduct
    self.dotVectorBytes = dotVectorBytes
  }

  /// What a profile says about its machine.
  public init(_ profile: Profile) {
    self.init(
      triple: profile.triple, cpu: profile.cpu, tuneCPU: profile.tune, features: profile.featureString,
      preferVectorWidth: profile.vectorBits, hasFMA: profile.hasFMA, hasF16Conversion: profile.hasF16Conversion,
      hasBF16Conversion: profile.hasBF16)
    hasRounding = profile.hasRounding
    hasF64 = profile.hasF64
    hasSaturatingConversion = profile.architecture != "x86_64"
    isPositionIndependent = profile.isPositionIndependent
    // Elsewhere tables would refer to a library's functions.
    unwindTables = profile.format == .elf && profile.pointerBits == 64
    dotVectorBytes = profile.vectorBits / 8
    switch profile.dot4 {
    case .vnni: dotProduct = .vnni
    case .avxvnni:
      dotProduct = .vnni
      dotVectorBytes = min(32, dotVectorBytes)
    case .usdot: dotProduct = .i8mm
    case .sdot: dotProduct = .signed
    case .none: dotProduct = profile.architecture == "x86_64" ? .multiplyAddPairs : .widening
    }
    if dotProduct == .i8mm || dotProduct == .signed { dotVectorBytes = min(16, dotVectorBytes) }
  }

  /// The machine that this program runs on, as LLVM detects it.
  public static func host() -> MachineOptions {
    let triple = takeString(LLVMGetDefaultTargetTriple())
    let cpu = takeString(LLVMGetHostCPUName())
    let features = takeString(LLVMGetHostCPUFeatures())
    let present = Set(features.split(separator: ",").filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) })
    var machine = MachineOptions(triple: triple, cpu: cpu, features: features)
    if triple.hasPrefix("aarch64") {
      machine.hasFMA = true
      machine.hasRounding = true
      machine.hasF16Conversion = true
      machine.dotProduct =
        present.contains("i8mm") ? .i8mm : present.contains("dotprod") ? .signed : .widening
      return machine
    }
    machine.hasFMA = present.contains("fma")
    machine.hasRounding = present.contains("sse4.1")
    machine.hasF16Conversion = present.contains("f16c")
    machine.hasBF16Conversion = present.contains("avx512bf16") && present.contains("avx512vl")
    if present.contains("avx512vnni") && present.contains("avx512vl") {
      machine.dotProduct = .vnni
      machine.dotVectorBytes = 64
    } else if present.contains("avxvnni") {
      machine.dotProduct = .vnni
      machine.dotVectorBytes = 32
    } else if triple.hasPrefix("x86_64") {
      machine.dotProduct = .multiplyAddPairs
      machine.dotVectorBytes = present.contains("avx512bw") ? 64 : present.contains("avx2") ? 32 : 16
    }
    if present.contains("avx512f") {
      machine.preferVectorWidth = 512
      // LLVM schedules Zen 5 as if it had half of its multiply-add throughput, and spills for it.
      machine.tuneCPU = "sapphirerapids"
    }
    return machine
  }

  private static func takeString(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    guard let pointer else { return "" }
    defer { LLVMDisposeMessage(pointer) }
    return String(cString: pointer)
  }
}

import LLVMBackend
import Targets

extension MachineOptions {
  /// What lowering needs to know of a profile.
  public init(_ profile: Profile) {
    self.init(
      triple: profile.triple, cpu: profile.cpu, tuneCPU: profile.tune, features: profile.featureString,
      preferVectorWidth: profile.vectorBits, hasFMA: profile.hasFMA, hasRounding: true,
      hasF16Conversion: profile.hasF16Conversion,
      // The instruction flushes subnormal numbers on x86; `cast` does not.
      hasBF16Conversion: false)
    let isX86 = profile.architecture == "x86_64"
    switch profile.dot4 {
    case .vnni:
      dotProduct = .vnni
      dotVectorBytes = profile.vectorBits / 8
    case .avxvnni:
      dotProduct = .vnni
      dotVectorBytes = 32
    case .usdot: dotProduct = .i8mm
    case .none, .sdot:
      dotProduct = isX86 ? .multiplyAddPairs : .widening
      dotVectorBytes = isX86 ? profile.vectorBits / 8 : 16
    }
  }
}

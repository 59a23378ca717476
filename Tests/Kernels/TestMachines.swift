import LLVMBackend

/// Machines whose code this one can run: itself, and lesser ones, for which lowering expands more.
enum TestMachines {
  static let runnable: [(name: String, machine: MachineOptions)] = {
    let host = MachineOptions.host()
    var all = [("host", host)]
    guard host.triple.hasPrefix("x86_64") else { return all }
    var exact = host
    exact.hasBF16Conversion = false
    all.append(("host without bf16", exact))
    all.append(
      (
        "x86-64",
        MachineOptions(triple: host.triple, cpu: "x86-64", dotProduct: .multiplyAddPairs, dotVectorBytes: 16)
      ))
    all.append(("x86-64, widening", MachineOptions(triple: host.triple, cpu: "x86-64")))
    if host.hasFMA && host.hasF16Conversion {
      var haswell = MachineOptions(triple: host.triple, cpu: "haswell", dotProduct: .multiplyAddPairs)
      haswell.hasFMA = true
      haswell.hasRounding = true
      haswell.hasF16Conversion = true
      haswell.dotVectorBytes = 32
      all.append(("haswell", haswell))
    }
    if host.dotVectorBytes == 64 {
      var skylake = MachineOptions(triple: host.triple, cpu: "skylake-avx512", preferVectorWidth: 512)
      skylake.hasFMA = true
      skylake.hasRounding = true
      skylake.hasF16Conversion = true
      skylake.dotProduct = .multiplyAddPairs
      skylake.dotVectorBytes = 64
      all.append(("skylake-avx512", skylake))
    }
    return all
  }()
}

import Codegen
import Formats
import LLVMBackend
import Support
import Targets

/// What an artifact is built as.
public enum ArtifactKind: String, Sendable, CaseIterable {
  case object, `static`, shared, executable
}

/// From a scheduled program to files: kernels through LLVM, tables and runtime through clang, weights as an object of
/// their own, all linked together.
struct ArtifactBuilder {
  var program: Program
  var profile: Profile
  var name: String
  var kind: ArtifactKind
  var optionsText: String
  var sourceHash: String
  var maximumThreads: Int
  var weightsInFile: Bool
  var sysroot: String?
  var metadata: String
  var writesHeader = true
  /// Whether every step is measured.
  var profiles = false
  /// What was compiled earlier; nil compiles everything.
  var cacheFolder: CacheFolder?
  var progress: @Sendable (Int, Int) -> Void = { _, _ in }

  /// The `main` of an executable reads and writes tensors of numbers.
  private func requirePlainPorts() throws(Diagnostic) {
    for entry in program.entries {
      for port in entry.inputs + entry.outputs where port.value.tensor.map({ $0.plain == .string }) ?? true {
        throw .unsupported(
          "entry \(entry.name): an executable passes tensors of numbers, and \"\(port.name)\" is \(port.value)",
          hint: "compile with --emit shared")
      }
    }
  }

  /// Builds and puts the finished files in place: `output`, its header beside it, and the weights file if asked for.
  /// Returns the suffixes of what lies beside it.
  func build(to output: String) throws(Diagnostic) -> [String] {
    var companions: [String] = []
    let scratch = try ScratchFolder()
    let toolchain = Toolchain(profile: profile, folder: scratch.path)
    try toolchain.check(kind)
    try checkSize()
    if kind == .executable { try requirePlainPorts() }
    var weightsFile: (name: String, hash: UInt64)?
    let hasWeights = program.weightBytes > 0
    let weightsPath = Paths.replacingExtension(of: output, with: "weights")
    var weightsAside: AsideFile?
    if hasWeights, weightsInFile {
      try Paths.checkWritable(weightsPath)
      let aside = AsideFile(for: weightsPath)
      weightsAside = aside
      weightsFile = (Paths.lastComponent(weightsPath), try ProgramFile.writeWeights(of: program, to: aside.path))
      companions.append("weights")
    }
    // Libraries have the runtime in common; in objects that others link its names must not be seen.
    let isApart = kind == .shared && !profiles && !weightsInFile
    let source =
      isApart
      ? source(.apart(declarations: "#include \"runtime.h\"")) : source(.included, weightsFile: weightsFile)
    try toolchain.writeRuntime()
    try toolchain.write(Array(source.utf8), to: "model.c")

    // clang works on the tables while LLVM works on the kernels.
    let hasWeightsFile = weightsFile != nil
    let needsMain = kind == .executable
    let prefix = name
    let sysroot = sysroot
    let folder = cacheFolder
    let tables = BackgroundTask { () throws(Diagnostic) in
      if isApart {
        try toolchain.write(try RuntimeObject.bytes(for: toolchain.profile, folder), to: RuntimeObject.name)
        try toolchain.compileTables()
      } else {
        try toolchain.compileModel(prefix: prefix, weightsFile: hasWeightsFile)
      }
      if needsMain { try toolchain.compileMain(prefix: prefix, sysroot: sysroot) }
    }
    let compiled = Result { () throws(Diagnostic) in try compileKernels(to: toolchain.kernelKind) }
    try tables.wait()
    var objects = ["model.o"]
    if isApart { objects.append(RuntimeObject.name) }
    if needsMain { objects.append("main.o") }
    for (number, bytes) in try compiled.get().enumerated() {
      try toolchain.write(bytes, to: "k\(number).o")
      objects.append("k\(number).o")
    }
    if hasWeights, !weightsInFile {
      let image = try weightsImage()
      if let machine = elfMachine {
        try WeightsObject.write(image, prefix: name, machine: machine, to: "\(scratch.path)/weights.o")
      } else {
        let file = try AtomicFile(path: "\(scratch.path)/weights.bin")
        try image.write(to: file)
        try file.commit()
        try toolchain.compileWeights(prefix: name)
      }
      objects.append("weights.o")
    }

    // Linked aside and renamed, so that an interrupted or failed build leaves what was there.
    try Paths.checkWritable(output)
    let aside = AsideFile(for: output)
    let target = Paths.absolute(aside.path)
    switch kind {
    case .object: try toolchain.linkRelocatable(objects, to: target)
    case .static:
      try toolchain.linkRelocatable(objects, to: "all.o")
      try toolchain.archive("all.o", to: target)
    case .shared: try toolchain.linkShared(objects, to: target)
    case .executable: try toolchain.linkExecutable(objects, to: target, sysroot: sysroot)
    }
    try weightsAside?.commit()
    try aside.commit()
    if kind != .executable, writesHeader {
      try AtomicFile.write(
        Array(HeaderSource.text(program, name: name, interface: Toolchain.interface).utf8),
        to: Paths.replacingExtension(of: output, with: "h"))
      companions.append("h")
    }
    return companions
  }

  /// `model.c`.
  func source(_ runtime: ModelSource.RuntimePlace, weightsFile: (name: String, hash: UInt64)? = nil) -> String {
    ModelSource.text(
      program,
      ModelSource.Options(
        name: name, target: profile.name, options: optionsText, sourceHash: sourceHash, features: profile.requires,
        maximumThreads: maximumThreads, weightsFile: weightsFile, metadata: metadata, profiles: profiles,
        runtime: runtime))
  }

  /// The weights as they lie in an artifact, made while they are written.
  func weightsImage() throws(Diagnostic) -> WeightsImage {
    let pieces = program.weights.map { weight in
      WeightsPiece(offset: weight.offset, size: weight.bytes) { sink throws(Diagnostic) in
        let bytes = weight.content()
        try bytes.withBytes { bytes throws(Diagnostic) in try sink(bytes) }
      }
    }
    return try WeightsImage(size: program.weightBytes, pieces: pieces)
  }

  /// Objects of all kernels, in order; those in the cache are not compiled again.
  func compileKernels(to kind: OutputKind) throws(Diagnostic) -> [[UInt8]] {
    let cache = cacheFolder.map { KernelCache($0, profile) }
    let backend = try LLVMBackend(MachineOptions(profile))
    var results = [[UInt8]?](repeating: nil, count: program.kernels.count)
    var missing: [Int] = []
    for (number, kernel) in program.kernels.enumerated() {
      results[number] = cache?.object(for: kernel)
      if results[number] == nil { missing.append(number) }
    }
    let total = missing.count
    let report = progress
    let compiled = try backend.compileAll(missing.map { program.kernels[$0] }, to: kind) { report($0, total) }
    for (number, object) in zip(missing, compiled) {
      results[number] = object
      cache?.store(object, for: program.kernels[number])
    }
    return results.compactMap { $0 }
  }

  /// What weights are written for as an object; nil: the compiler makes one, which takes more memory.
  private var elfMachine: ELFMachine? {
    guard profile.format == .elf else { return nil }
    switch profile.architecture {
    case "x86_64": return .x86_64
    case "aarch64": return .aarch64
    case "riscv64": return .riscv64
    default: return nil
    }
  }

  /// Refuses weights that the machine cannot address or the compiler cannot embed.
  private func checkSize() throws(Diagnostic) {
    let bytes = program.weightBytes
    if let limit = profile.memoryLimitBytes, bytes > limit - min(limit, program.stateBytes) {
      throw .unsupported("\(bytes) bytes of weights are more than \(profile.name) has room for, \(limit) bytes")
    }
    if elfMachine == nil, !weightsInFile, bytes > Toolchain.embeddingLimit {
      throw .unsupported(
        "\(bytes) bytes of weights cannot be embedded for \(profile.name)", hint: "--weights file")
    }
  }
}

import Glibc
import LLVMBackend
import Support
import Targets

/// The programs around LLVM that make artifacts: clang for the runtime's C, lld to link, ar for archives.
struct Toolchain {
  static let clang = "clang-22"
  static let linker = "ld.lld-22"
  static let wasmLinker = "wasm-ld-22"
  static let bitcodeLinker = "llvm-link-22"
  static let archiver = "llvm-ar-22"

  let profile: Profile
  /// A folder of our own, deleted when done.
  let folder: String

  /// Runs a tool in the folder; what it complains about becomes the diagnostic.
  func run(_ tool: String, _ arguments: [String]) throws(Diagnostic) {
    let outcome = try Subprocess.run(tool, arguments, directory: folder)
    guard outcome.status == 0 else {
      let reason = outcome.errors.split(separator: "\n").first.map(String.init) ?? "status \(outcome.status)"
      throw .bug("\(tool) failed: \(reason)")
    }
  }

  /// Writes the runtime's files into the folder.
  func writeRuntime() throws(Diagnostic) {
    for file in RuntimeFiles.all { try write(Array(file.bytes), to: file.name) }
  }

  /// The runtime's public header.
  static var interface: String { RuntimeFiles.text(of: "martlet.h") }

  func write(_ bytes: [UInt8], to name: String) throws(Diagnostic) {
    let path = "\(folder)/\(name)"
    guard let file = fopen(path, "w") else {
      throw .invalid("cannot write \(path): \(systemErrorText())")
    }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else { throw .invalid("cannot write \(path): the disk is full") }
  }

  /// Flags that every C file of an artifact is compiled with.
  private func flags(prefix: String) -> [String] {
    ["-DMARTLET_PREFIX=\(prefix)"] + Self.machineFlags(for: profile)
  }

  /// Those that follow from the machine.
  private static func machineFlags(for profile: Profile) -> [String] {
    var flags = [
      "--target=\(profile.link.clangTriple)", "-O2", "-std=c11", "-fvisibility=hidden", "-w", "-fwrapv", "-fno-ident",
      "-ffunction-sections", "-fdata-sections",
    ]
    if profile.isPositionIndependent { flags.append("-fPIC") }
    if !profile.hasThreads { flags.append("-DMARTLET_THREADS=0") }
    if !profile.hasHeap { flags.append("-DMARTLET_HEAP=0") }
    if mergesBitcode(profile) { flags.append("-emit-llvm") }
    return flags + profile.link.clangFlags
  }

  private static let alone = ["-ffreestanding", "-nostdlibinc"]

  /// Where the linker cannot make one object of several, LLVM merges them while they are bitcode.
  private static func mergesBitcode(_ profile: Profile) -> Bool { profile.format == .macho }

  /// What kernels are linked as.
  var kernelKind: OutputKind { Self.mergesBitcode(profile) ? .llvm : .object }

  /// `model.c`, with the runtime in it.
  func compileModel(prefix: String, weightsFile: Bool) throws(Diagnostic) {
    var arguments = flags(prefix: prefix) + Self.alone
    if weightsFile { arguments.append("-DMARTLET_WEIGHTS_FILE=1") }
    try run(Self.clang, arguments + ["-c", "model.c", "-o", "model.o"])
  }

  /// Flags of the runtime as an object of its own, and of tables that go with it.
  static func apartFlags(for profile: Profile) -> [String] {
    machineFlags(for: profile) + alone + ["-DMARTLET_APART=1"]
  }

  /// The same for tables that come through a pipe and leave through one.
  static func pipedFlags(for profile: Profile) -> [String] {
    apartFlags(for: profile) + ["-x", "c", "-", "-c", "-o", "-"]
  }

  /// The runtime as an object of its own.
  func compileRuntime(to object: String) throws(Diagnostic) {
    try run(Self.clang, Self.apartFlags(for: profile) + ["-c", "runtime.c", "-o", object])
  }

  /// `model.c` without the runtime.
  func compileTables() throws(Diagnostic) {
    try run(Self.clang, Self.apartFlags(for: profile) + ["-c", "model.c", "-o", "model.o"])
  }

  /// The `main` of an executable.
  func compileMain(prefix: String, sysroot: String?) throws(Diagnostic) {
    let arguments = flags(prefix: prefix) + (sysroot.map { ["--sysroot=\($0)"] } ?? [])
    let outcome = try Subprocess.run(
      Self.clang, arguments + ["-c", "executable.c", "-o", "main.o"], directory: folder)
    guard outcome.status == 0 else {
      if outcome.errors.contains("file not found") { throw missingLibrary }
      throw .bug("\(Self.clang) failed: \(outcome.errors.split(separator: "\n").first ?? "")")
    }
  }

  private var missingLibrary: Diagnostic {
    .invalid(
      "an executable for \(profile.name) needs its C library",
      hint: "install \(profile.link.libcPackage ?? ""), or name it by --sysroot")
  }

  /// The most bytes of weights that `compileWeights` takes: the compiler holds them a few times over.
  static let embeddingLimit = Int(Int32.max)

  /// `weights.bin` as an object, for machines whose objects Martlet does not write itself.
  func compileWeights(prefix: String) throws(Diagnostic) {
    let hidden = "__attribute__((visibility(\"hidden\")))"
    let source = """
      \(hidden) _Alignas(64) const unsigned char \(prefix)_weights[] = {
      #embed "weights.bin"
      };
      \(hidden) const void *const \(prefix)_weights_pointer = \(prefix)_weights;

      """
    try write(Array(source.utf8), to: "weights.c")
    try run(Self.clang, flags(prefix: prefix) + Self.alone + ["-c", "weights.c", "-o", "weights.o"])
  }

  /// An archive of what the machine has no instructions for; linking takes what is called.
  private func makeHelpers() throws(Diagnostic) -> [String] {
    guard profile.needsHelpers else { return [] }
    let names = ["helpers_convert", "helpers_divide", "helpers_double", "helpers_memory"]
    try run(
      Self.clang, flags(prefix: "martlet") + Self.alone + ["-fno-builtin", "-c"] + names.map { "\($0).c" })
    try run(Self.archiver, ["rcsD", "helpers.a"] + names.map { "\($0).o" })
    return ["helpers.a"]
  }

  /// All objects as one.
  func linkRelocatable(_ objects: [String], to output: String) throws(Diagnostic) {
    let objects = objects + (try makeHelpers())
    switch profile.format {
    case .elf: try run(Self.linker, ["-m", profile.link.emulation, "-r", "-o", output] + objects)
    case .wasm: try run(Self.wasmLinker, ["-m", profile.link.emulation, "-r", "-o", output] + objects)
    case .macho:
      try run(Self.bitcodeLinker, ["-o", "all.bc"] + objects)
      // Kernels are optimised already, and stay as their generators wrote them.
      try run(
        Self.clang,
        ["--target=\(profile.link.clangTriple)", "-O3", "-fPIC", "-w", "-Xclang", "-disable-llvm-passes"]
          + ["-c", "all.bc", "-o", output])
    }
  }

  func archive(_ object: String, to output: String) throws(Diagnostic) {
    unlink(output)
    let format = profile.format == .macho ? ["--format=darwin"] : []
    try run(Self.archiver, format + ["rcsD", output, object])
  }

  /// Refuses what cannot be made for the machine.
  func check(_ kind: ArtifactKind) throws(Diagnostic) {
    if kind == .shared, profile.link.loader == nil {
      throw .unsupported(
        "\(profile.name) has no shared libraries that can be made here", hint: "--emit static or --emit object")
    }
    if kind == .executable, profile.link.libcPackage == nil {
      throw .unsupported(
        "programs for \(profile.name) cannot be linked here",
        hint: "--emit object or --emit static, and link that with the machine's own tools")
    }
  }

  func linkShared(_ objects: [String], to output: String) throws(Diagnostic) {
    try run(
      Self.linker,
      [
        "-m", profile.link.emulation, "-shared", "--gc-sections", "-z", "noexecstack", "-z", "now", "--hash-style=gnu",
        "--build-id=none", "--strip-all", "-o", output,
      ] + objects + makeHelpers())
  }

  func linkExecutable(_ objects: [String], to output: String, sysroot: String?) throws(Diagnostic) {
    var arguments = [
      "--target=\(profile.link.clangTriple)", "-Wl,--gc-sections", "-Wl,--strip-all", "-w", "-o", output,
    ]
    // Of the linkers for WebAssembly clang finds the one beside itself.
    if profile.format == .elf { arguments += ["--ld-path=\(Self.linker)", "-Wl,--build-id=none"] }
    arguments += profile.link.clangFlags
    if let sysroot { arguments.append("--sysroot=\(sysroot)") }
    // A foreign program runs under an emulator too, which has no shared libraries of its own.
    if profile.architecture != (try? Profile.host())?.architecture { arguments.append("-static") }
    let outcome = try Subprocess.run(
      Self.clang, arguments + objects + makeHelpers() + profile.link.linkFlags, directory: folder)
    guard outcome.status == 0 else {
      let complaints = ["crt1", "unable to find library", "cannot open"]
      if complaints.contains(where: outcome.errors.contains) { throw missingLibrary }
      throw .bug("\(Self.clang) failed: \(outcome.errors.split(separator: "\n").first ?? "")")
    }
  }
}

/// A folder for files in the making, gone when it is dropped.
final class ScratchFolder {
  let path: String

  init() throws(Diagnostic) {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let made = TemporaryFiles.add {
      var template = Array("\(base)/martlet.XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { return nil }
      return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    guard let made else {
      throw .invalid("cannot make a folder in \(base): \(systemErrorText())", hint: "set TMPDIR")
    }
    path = made
  }

  deinit {
    removeTree(path)
    TemporaryFiles.remove(path)
  }
}

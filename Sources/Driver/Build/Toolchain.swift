import CData
import Glibc
import Support
import Targets

/// The programs around LLVM that make artifacts: clang for the runtime's C, lld to link, ar for archives.
struct Toolchain {
  static let clang = "clang-22"
  static let linker = "ld.lld-22"
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
    for index in 0..<cdata_runtime_file_count() {
      let file = cdata_runtime_file(index)
      let bytes = UnsafeRawBufferPointer(start: file.text, count: file.length)
      try write(Array(bytes), to: String(cString: file.name))
    }
  }

  /// The runtime's public header.
  static var interface: String {
    for index in 0..<cdata_runtime_file_count() {
      let file = cdata_runtime_file(index)
      guard String(cString: file.name) == "martlet.h" else { continue }
      return String(decoding: UnsafeRawBufferPointer(start: file.text, count: file.length), as: UTF8.self)
    }
    return ""
  }

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
    var flags = [
      "--target=\(profile.link.clangTriple)", "-O2", "-std=c11", "-fPIC", "-fvisibility=hidden", "-w", "-fwrapv",
      "-DMARTLET_PREFIX=\(prefix)", "-fno-ident", "-ffunction-sections", "-fdata-sections",
    ]
    if profile.architecture == "aarch64" { flags.append("-mno-outline-atomics") }
    return flags
  }

  /// `model.c`, with the runtime in it.
  func compileModel(prefix: String, weightsFile: Bool) throws(Diagnostic) {
    var arguments = flags(prefix: prefix) + ["-ffreestanding", "-nostdlibinc"]
    if weightsFile { arguments.append("-DMARTLET_WEIGHTS_FILE=1") }
    try run(Self.clang, arguments + ["-c", "model.c", "-o", "model.o"])
  }

  /// The `main` of an executable.
  func compileMain(prefix: String) throws(Diagnostic) {
    try run(Self.clang, flags(prefix: prefix) + ["-c", "executable.c", "-o", "main.o"])
  }

  /// All objects as one.
  func linkRelocatable(_ objects: [String], to output: String) throws(Diagnostic) {
    try run(Self.linker, ["-m", profile.link.emulation, "-r", "-o", output] + objects)
  }

  func archive(_ object: String, to output: String) throws(Diagnostic) {
    unlink(output)
    try run(Self.archiver, ["rcsD", output, object])
  }

  func linkShared(_ objects: [String], to output: String) throws(Diagnostic) {
    try run(
      Self.linker,
      [
        "-m", profile.link.emulation, "-shared", "--gc-sections", "-z", "noexecstack", "-z", "now", "--hash-style=gnu",
        "--build-id=none", "--strip-all", "-o", output,
      ] + objects)
  }

  func linkExecutable(_ objects: [String], to output: String, sysroot: String?) throws(Diagnostic) {
    var arguments = [
      "--target=\(profile.link.clangTriple)", "--ld-path=\(Self.linker)", "-Wl,--gc-sections", "-Wl,--build-id=none",
      "-Wl,--strip-all", "-o", output,
    ]
    if let sysroot { arguments.append("--sysroot=\(sysroot)") }
    // A foreign program runs under an emulator too, which has no shared libraries of its own.
    if profile.architecture != (try Profile.host()).architecture { arguments.append("-static") }
    let outcome = try Subprocess.run(Self.clang, arguments + objects + ["-lm", "-lpthread"], directory: folder)
    guard outcome.status == 0 else {
      if outcome.errors.contains("crt1.o") || outcome.errors.contains("unable to find library") {
        throw .invalid(
          "an executable for \(profile.name) needs its C library",
          hint: "install \(profile.link.libcPackage), or name it by --sysroot")
      }
      throw .bug("\(Self.clang) failed: \(outcome.errors.split(separator: "\n").first ?? "")")
    }
  }
}

/// A folder for files in the making, gone when it is dropped.
final class ScratchFolder {
  let path: String

  init() throws(Diagnostic) {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/martlet.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw .invalid("cannot make a folder in \(base): \(systemErrorText())", hint: "set TMPDIR")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    TemporaryFiles.add(path)
  }

  deinit {
    removeTree(path)
    TemporaryFiles.remove(path)
  }
}

import LLVMBackend
import Support
import Synchronization
import Targets

/// The runtime as an object of its own, for all shared libraries and for programs that compile and load many models.
///
/// Compiling it takes much longer than the tables of a small model, so it is kept: in the cache folder, and by the
/// process.
enum RuntimeObject {
  static let name = "runtime.o"

  /// The object for a machine.
  static func bytes(for profile: Profile, _ cache: CacheFolder?) throws(Diagnostic) -> [UInt8] {
    var parts = Toolchain.apartFlags(for: profile) + [LLVMBackend.version]
    for file in RuntimeFiles.all { parts += [file.name, file.text] }
    let key = "\(ContentHash.of(parts.joined(separator: "\n"))).o"
    if let known = kept.withLock({ $0[key] }) { return known }
    let object: [UInt8]
    if let found = cache?.read(key) { object = found } else { object = try compile(for: profile) }
    kept.withLock { $0[key] = object }
    // A cache that cannot be written is no reason to fail.
    if let cache, !cache.has(key) { try? cache.write(object, key) }
    return object
  }

  private static func compile(for profile: Profile) throws(Diagnostic) -> [UInt8] {
    let scratch = try ScratchFolder()
    let toolchain = Toolchain(profile: profile, folder: scratch.path)
    try toolchain.writeRuntime()
    try toolchain.compileRuntime(to: name)
    return try MappedFile(path: "\(scratch.path)/\(name)").view.bytes
  }

  private static let kept = Mutex<[String: [UInt8]]>([:])
}

import Codegen
import Glibc
import LLVMBackend
import Support
import Targets

/// Compiled kernels and artifacts on disk, by what they were made of.
///
/// An entry's name is the hash of everything that decides its bytes: the loop IR,
/// the machine, the versions of Martlet and LLVM, and the very build of Martlet. Entries are written aside and
/// renamed, so that several processes may share a folder; the least recently used
/// go when the folder grows beyond its limit.
public struct KernelCache: Sendable {
  public let folder: String
  private let salt: String
  /// Bytes beyond which old entries are deleted.
  private static let limit = 2 << 30

  public init(folder: String, profile: Profile) throws(Diagnostic) {
    try Paths.makeFolder(folder)
    self.folder = folder
    salt = "\(martletVersion) \(ArtifactStore.ownIdentity) llvm \(LLVMBackend.version) \(MachineOptions(profile))"
  }

  /// `$XDG_CACHE_HOME/martlet` or `~/.cache/martlet`.
  public static var defaultFolder: String? {
    if let base = getenv("XDG_CACHE_HOME") { return String(cString: base) + "/martlet" }
    return getenv("HOME").map { String(cString: $0) + "/.cache/martlet" }
  }

  /// Kernels, and artifacts with their weights and the list of what they were made of.
  private static func isEntry(_ name: String) -> Bool {
    [".o", ".so", ".artifact", ".h", ".weights", ".sources"].contains { name.hasSuffix($0) } && !name.hasPrefix(".")
  }

  func object(for kernel: Kernel) -> [UInt8]? { read(key(kernel)) }
  func store(_ object: [UInt8], for kernel: Kernel) { write(object, key(kernel)) }

  private func key(_ kernel: Kernel) -> String { "\(ContentHash.of(salt + kernel.name)).o" }

  private func read(_ name: String) -> [UInt8]? {
    let path = "\(folder)/\(name)"
    guard let file = try? MappedFile(path: path), file.count > 0 else { return nil }
    // Used just now: the clean-up goes by this time.
    utimensat(AT_FDCWD, path, nil, 0)
    return file.view.bytes
  }

  private func write(_ bytes: [UInt8], _ name: String) {
    // A cache that cannot be written is no reason to fail.
    try? AtomicFile.write(bytes, to: "\(folder)/\(name)")
  }

  /// Deletes the least recently used entries beyond the limit.
  func trim(keeping name: String? = nil) {
    // Nothing begins with a slash behind the folder's own.
    let kept = "\(folder)/\(name ?? "/")"
    guard let directory = opendir(folder) else { return }
    defer { closedir(directory) }
    var entries: [(path: String, bytes: Int, used: Int)] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var status = stat()
      guard KernelCache.isEntry(name), stat("\(folder)/\(name)", &status) == 0 else { continue }
      entries.append(("\(folder)/\(name)", Int(status.st_size), status.st_mtim.tv_sec))
    }
    var total = entries.reduce(0) { $0 + $1.bytes }
    for entry in entries.sorted(by: { $0.used < $1.used }) where total > Self.limit && !entry.path.hasPrefix(kept) {
      unlink(entry.path)
      total -= entry.bytes
    }
  }
}

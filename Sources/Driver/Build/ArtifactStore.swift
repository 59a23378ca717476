import Codegen
import Glibc
import LLVMBackend
import Support
import Targets

/// Finished artifacts in the cache folder, by everything that decides their bytes.
///
/// An artifact's key holds options, versions and the model file's size, time and
/// inode; the other files that went into it (large weights) are listed beside it
/// and looked at again before it is used.
struct ArtifactStore {
  let folder: String
  /// Larger artifacts are not kept: copying gigabytes about is no gain.
  private static let limit = 512 << 20

  /// The key of what `compile` makes of a model.
  func key(
    _ model: String, _ options: CompileOptions, _ profile: Profile, kind: ArtifactKind, name: String, output: String
  ) throws(Diagnostic) -> String {
    guard let identity = Self.identity(model) else { throw .invalid("no such file", at: Location(file: model)) }
    let parts = [
      "artifact", martletVersion, LLVMBackend.version, identity, Paths.absolute(model), options.text,
      "\(profile.name) \(MachineOptions(profile))", "\(options.maximumThreads ?? profile.cores)", kind.rawValue, name,
      options.sysroot ?? "", options.weightsInFile ? Paths.stem(output) : "", Self.ownIdentity,
    ]
    return "\(ContentHash.of(parts.joined(separator: "\n")))"
  }

  /// Puts a kept artifact, its header and weights file at `output`; false when there is none that is current.
  func fetch(_ key: String, to output: String) throws(Diagnostic) -> Bool {
    guard Paths.exists(stored(key)), Self.isCurrent(list(key)) else { return false }
    for part in ["weights", "h"] where Paths.exists("\(folder)/\(key).\(part)") {
      try copy("\(folder)/\(key).\(part)", to: Paths.replacingExtension(of: output, with: part))
    }
    try copy(stored(key), to: output)
    // Used just now: the clean-up goes by this time.
    utimensat(AT_FDCWD, stored(key), nil, 0)
    return true
  }

  /// Keeps what was built at `output`, and the files of the build beside it that end in `parts`. A cache that cannot
  /// be written is no reason to fail.
  func keep(_ key: String, from output: String, parts: [String], sources: [String]) {
    var status = stat()
    guard stat(output, &status) == 0, status.st_size <= Self.limit else { return }
    do throws(Diagnostic) {
      var kept: [String] = []
      for part in parts {
        let beside = Paths.replacingExtension(of: output, with: part)
        guard stat(beside, &status) == 0, status.st_size <= Self.limit else { return }
        try copy(beside, to: "\(folder)/\(key).\(part)")
        kept.append("\(folder)/\(key).\(part)")
      }
      try copy(output, to: stored(key))
      // Written last: an artifact without its list is not used. The parts are in it too, since the clean-up may have
      // taken one of them.
      try Self.writeSources(sources + kept, to: list(key))
    } catch {}
  }

  private func list(_ key: String) -> String { "\(folder)/\(key).artifact.sources" }
  private func stored(_ key: String) -> String { "\(folder)/\(key).artifact" }

  private func copy(_ source: String, to target: String) throws(Diagnostic) {
    let file = try AtomicFile(path: target)
    try file.write(try MappedFile(path: source).view)
    try file.commit()
    var status = stat()
    if stat(source, &status) == 0 { chmod(target, status.st_mode & 0o777) }
  }

  /// A Martlet that was built again may compile differently under the same version.
  static let ownIdentity = identity("/proc/self/exe") ?? ""

  static func writeSources(_ sources: [String], to list: String) throws(Diagnostic) {
    let lines = sources.map { "\(identity($0) ?? "") \($0)\n" }.joined()
    try AtomicFile.write(Array(lines.utf8), to: list)
  }

  /// Whether the files of a list are what they were.
  static func isCurrent(_ list: String) -> Bool {
    guard let text = (try? MappedFile(path: list))?.view.text else { return false }
    return text.split(separator: "\n").allSatisfy { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      return parts.count == 2 && identity(String(parts[1])) == String(parts[0])
    }
  }

  /// Size, time and inode.
  static func identity(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return "\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec):\(status.st_ino):\(status.st_dev)"
  }
}

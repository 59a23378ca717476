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
  let folder: CacheFolder
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
    guard isCurrent(stored(key)) else { return false }
    for part in ["weights", "h"] where folder.has("\(key).\(part)") {
      try copy(folder["\(key).\(part)"], to: Paths.replacingExtension(of: output, with: part))
    }
    try copy(folder[stored(key)], to: output)
    folder.touch(stored(key))
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
        try copy(beside, to: folder["\(key).\(part)"])
        kept.append(folder["\(key).\(part)"])
      }
      try copy(output, to: folder[stored(key)])
      // The parts are in the list too, since the clean-up may have taken one of them.
      try list(sources + kept, of: stored(key))
    } catch {}
    folder.trim(keeping: key)
  }

  /// The shared library of a key, to be loaded from the cache itself: where it lies, and whether it is there. It is up
  /// to the caller to put it there, and then to say so by `keepLibrary`.
  func library(_ key: String) -> (path: String, isCurrent: Bool) {
    let name = "\(key).so"
    let found = isCurrent(name)
    if found { folder.touch(name) }
    return (folder[name], found)
  }

  func keepLibrary(_ key: String, sources: [String]) throws(Diagnostic) {
    try list(sources, of: "\(key).so")
    folder.trim(keeping: key)
  }

  private func stored(_ key: String) -> String { "\(key).artifact" }

  private func copy(_ source: String, to target: String) throws(Diagnostic) {
    let file = try AtomicFile(path: target)
    try file.write(try MappedFile(path: source).view)
    try file.commit()
    var status = stat()
    if stat(source, &status) == 0 { chmod(target, status.st_mode & 0o777) }
  }

  /// A Martlet that was built again may compile differently under the same version.
  static let ownIdentity = identity(ownFile) ?? ""

  /// The file that this code is in: the command, or a library in somebody else's program.
  private static var ownFile: String {
    let command = "/proc/self/exe"
    // A line is "7f00-7f80 r-xp ... /the/file", and the first of a file is where its image starts.
    let start = String(UInt(bitPattern: #dsohandle), radix: 16) + "-"
    guard let maps = fopen("/proc/self/maps", "r") else { return command }
    defer { fclose(maps) }
    var line = [CChar](repeating: 0, count: 8192)
    while fgets(&line, Int32(line.count), maps) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix(start), let slash = text.firstIndex(of: "/") else { continue }
      return String(text[slash...].dropLast())
    }
    return command
  }

  /// Writes down what an entry was made of. Comes last: an entry without its list is not used.
  private func list(_ sources: [String], of entry: String) throws(Diagnostic) {
    let lines = sources.map { "\(Self.identity($0) ?? "") \($0)\n" }.joined()
    try folder.write(Array(lines.utf8), "\(entry).sources")
  }

  /// Whether an entry is there, and the files of its list are what they were.
  private func isCurrent(_ entry: String) -> Bool {
    guard folder.has(entry), let text = (try? MappedFile(path: folder["\(entry).sources"]))?.view.text else {
      return false
    }
    return text.split(separator: "\n").allSatisfy { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      return parts.count == 2 && Self.identity(String(parts[1])) == String(parts[0])
    }
  }

  /// Size, time and inode.
  static func identity(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return "\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec):\(status.st_ino):\(status.st_dev)"
  }
}

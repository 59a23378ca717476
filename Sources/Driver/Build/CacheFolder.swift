import Glibc
import Support

/// A folder of entries that may go at any time.
///
/// Entries are written aside and renamed, so that several processes may share a folder; the least recently used go when
/// it grows beyond its limit. One that cannot be written only gives what it has.
struct CacheFolder: Sendable {
  let path: String
  /// Bytes beyond which old entries are deleted.
  private static let limit = 2 << 30
  /// Kernels, and artifacts with their weights and the list of what they were made of. Other files are somebody else's.
  private static let suffixes = [".o", ".so", ".artifact", ".h", ".weights", ".sources"]

  /// `$XDG_CACHE_HOME/martlet` or `~/.cache/martlet`.
  static var standard: String? {
    if let base = getenv("XDG_CACHE_HOME") { return String(cString: base) + "/martlet" }
    return getenv("HOME").map { String(cString: $0) + "/.cache/martlet" }
  }

  /// Makes the folder; nil where there is none to read.
  init?(_ path: String?) {
    guard let path, (try? Paths.makeFolder(path)) != nil, access(path, R_OK | X_OK) == 0 else { return nil }
    self.path = Paths.absolute(path)
  }

  var isWritable: Bool { access(path, W_OK) == 0 }

  /// Where an entry lies, if it is there.
  subscript(_ name: String) -> String { "\(path)/\(name)" }

  func has(_ name: String) -> Bool { Paths.exists(self[name]) }

  func read(_ name: String) -> [UInt8]? {
    guard let file = try? MappedFile(path: self[name]), file.count > 0 else { return nil }
    touch(name)
    return file.view.bytes
  }

  func write(_ bytes: [UInt8], _ name: String) throws(Diagnostic) { try AtomicFile.write(bytes, to: self[name]) }

  /// Notes that an entry was used just now: the clean-up goes by this time.
  func touch(_ name: String) { utimensat(AT_FDCWD, self[name], nil, 0) }

  /// Deletes the least recently used entries beyond the limit, but none whose name begins with `prefix`.
  func trim(keeping prefix: String? = nil) {
    guard let directory = opendir(path) else { return }
    defer { closedir(directory) }
    var entries: [(name: String, bytes: Int, used: Int)] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var status = stat()
      guard CacheFolder.isEntry(name), stat(self[name], &status) == 0 else { continue }
      entries.append((name, Int(status.st_size), status.st_mtim.tv_sec))
    }
    var total = entries.reduce(0) { $0 + $1.bytes }
    for entry in entries.sorted(by: { $0.used < $1.used }) where total > CacheFolder.limit {
      if let prefix, entry.name.hasPrefix(prefix) { continue }
      unlink(self[entry.name])
      total -= entry.bytes
    }
  }

  private static func isEntry(_ name: String) -> Bool {
    !name.hasPrefix(".") && suffixes.contains { name.hasSuffix($0) }
  }
}

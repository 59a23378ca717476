import Glibc
import Synchronization

/// The files that exist only while Martlet runs. Whoever makes one adds it here and
/// removes it when it is deleted or in its place, so that an interrupted run can
/// clean up after itself.
public enum TemporaryFiles {
  private static let paths = Mutex<Set<String>>([])

  public static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  public static func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Deletes what is left: files, and folders with the files in them.
  public static func deleteAll() {
    let left = paths.withLock { paths in
      defer { paths = [] }
      return paths.sorted()
    }
    for path in left where unlink(path) != 0 { deleteFolder(path) }
  }

  /// Deletes a folder that holds nothing but files.
  public static func deleteFolder(_ path: String) {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { unlink("\(path)/\(name)") }
    }
    closedir(directory)
    rmdir(path)
  }
}

import Synchronization

/// The files that exist only while Martlet runs. Whoever makes one adds it here and
/// removes it when it is deleted or in its place, so that an interrupted run can
/// clean up after itself.
public enum TemporaryFiles {
  private static let paths = Mutex<Set<String>>([])

  public static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  public static func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Deletes what is left, folders with all that is in them.
  public static func deleteAll() {
    let left = paths.withLock { paths in
      defer { paths = [] }
      return paths.sorted()
    }
    // Other threads may still be writing into a folder while it is emptied.
    for _ in 0..<3 {
      for path in left { removeTree(path) }
    }
  }
}

import Synchronization

/// The files that exist only while Martlet runs. Whoever makes one adds it here and
/// removes it when it is deleted or in its place, so that an interrupted run can
/// clean up after itself.
public enum TemporaryFiles {
  private static let paths = Mutex<Set<String>>([])

  public static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  public static func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Adds what `make` makes, whose name is not known before.
  public static func add(made make: () -> String?) -> String? {
    paths.withLock { paths in
      let path = make()
      if let path { paths.insert(path) }
      return path
    }
  }

  /// Deletes what is left, folders with all that is in them, and ends the process: whoever wants to add another file
  /// waits until there is nobody left to make it.
  public static func deleteAll(andEndBy end: () -> Never) -> Never {
    paths.withLock { paths in
      // Other threads may still be writing into a folder while it is emptied.
      for _ in 0..<3 {
        for path in paths.sorted() { removeTree(path) }
      }
      end()
    }
  }
}

import Glibc
import Synchronization

/// A name beside a file, for somebody to write what shall take its place.
///
/// `commit` renames it; dropped before that, or interrupted, it leaves nothing behind.
public final class AsideFile {
  /// Where to write.
  public let path: String
  private let target: String
  private var isOpen = true
  private static let counter = Atomic<Int>(0)

  public init(for target: String) {
    // Through a symbolic link, so that the link stays one.
    self.target = AsideFile.resolved(target) ?? target
    let unique = AsideFile.counter.wrappingAdd(1, ordering: .relaxed).newValue
    let (folder, name) = AsideFile.split(self.target)
    path = "\(folder).\(name).\(getpid()).\(unique).tmp"
    TemporaryFiles.add(path)
  }

  deinit { discard() }

  /// Puts the file in its place.
  public func commit() throws(Diagnostic) {
    guard rename(path, target) == 0 else {
      let failure = Diagnostic.invalid("cannot be written: \(systemErrorText())", at: Location(file: target))
      discard()
      throw failure
    }
    close()
  }

  /// Gives up: the target stays as it was.
  public func discard() {
    guard isOpen else { return }
    unlink(path)
    close()
  }

  private func close() {
    isOpen = false
    TemporaryFiles.remove(path)
  }

  private static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  /// The folder with its final slash ("" for the current one), and the name.
  private static func split(_ path: String) -> (folder: Substring, name: Substring) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path[...]) }
    let start = path.index(after: slash)
    return (path[..<start], path[start...])
  }
}

import Glibc

/// A file mapped for reading: gigabytes of weights cost address space, not memory.
///
/// The mapping is private and read-only. A file that somebody shortens while it is
/// mapped makes the process fault, as with every mapping: replace files by renaming.
public final class MappedFile: Sendable {
  public let path: String
  public let count: Int
  private let address: UInt

  public init(path: String) throws(Diagnostic) {
    let location = Location(file: path)
    // Not blocking: opening a pipe nobody writes to would wait for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      let message = code == ENOENT ? "no such file" : "cannot be opened: \(systemErrorText(code))"
      throw .invalid(message, at: location)
    }
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .invalid("cannot be examined: \(systemErrorText())", at: location)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .invalid("is a directory, not a file", at: location)
    default: throw .invalid("is not a regular file", at: location)
    }
    guard let size = Int(exactly: status.st_size), size >= 0 else {
      throw .invalid("has the impossible size \(status.st_size)", at: location)
    }

    self.path = path
    self.count = size
    if size == 0 {
      // The system maps no empty range.
      self.address = 0
      return
    }
    let mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let mapping, mapping != MAP_FAILED else {
      throw .invalid("cannot be mapped: \(systemErrorText())", at: location)
    }
    self.address = UInt(bitPattern: mapping)
  }

  deinit {
    if let start = UnsafeMutableRawPointer(bitPattern: address) { munmap(start, count) }
  }

  /// The whole file; the view keeps the mapping alive.
  public var view: ByteView {
    guard let start = UnsafeRawPointer(bitPattern: address) else { return .empty }
    return ByteView(owner: self, base: start, count: count)
  }
}

import Glibc

/// A file that appears complete or not at all.
///
/// Bytes go to a file aside, `commit` renames it. Targets that are no regular files
/// (`/dev/stdout`, a pipe) are written directly, for they cannot be replaced.
public final class AtomicFile {
  public let path: String
  /// Bytes written so far.
  public private(set) var position = 0

  private let aside: AsideFile?
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 18

  public init(path: String) throws(Diagnostic) {
    self.path = path
    var status = stat()
    let exists = stat(path, &status) == 0
    let kind = status.st_mode & S_IFMT
    if exists, kind == S_IFDIR { throw .invalid("is a directory, cannot be written", at: Location(file: path)) }

    if exists, kind != S_IFREG {
      aside = nil
      descriptor = open(path, O_WRONLY | O_CLOEXEC)
    } else {
      let aside = AsideFile(for: path)
      self.aside = aside
      descriptor = open(aside.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0, exists { _ = fchmod(descriptor, status.st_mode & 0o7777) }
    }
    guard descriptor >= 0 else { throw writeFailure() }
    buffer.reserveCapacity(AtomicFile.bufferSize)
  }

  deinit { abandon() }

  /// Writes `bytes` to `path` in one go.
  public static func write(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
    let file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  public func write(_ bytes: [UInt8]) throws(Diagnostic) {
    try bytes.withUnsafeBufferPointer { (raw) throws(Diagnostic) in try write(UnsafeRawBufferPointer(raw)) }
  }

  public func write(_ view: ByteView) throws(Diagnostic) {
    try view.withBytes { (raw) throws(Diagnostic) in try write(raw) }
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(Diagnostic) {
    if buffer.count + bytes.count > AtomicFile.bufferSize { try flush() }
    if bytes.count >= AtomicFile.bufferSize {
      try send(bytes)
    } else {
      buffer.append(contentsOf: bytes)
    }
    position += bytes.count
  }

  /// Writes zeros up to `offset`, which must not lie behind.
  public func pad(to offset: Int) throws(Diagnostic) {
    guard offset >= position else { throw .bug("padding \(path) from \(position) back to \(offset)") }
    let zeros = [UInt8](repeating: 0, count: min(offset - position, 1 << 16))
    while position < offset {
      let part = min(offset - position, zeros.count)
      try zeros.withUnsafeBufferPointer { (raw) throws(Diagnostic) in
        try write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: raw.prefix(part))))
      }
    }
  }

  public func align(to alignment: Int) throws(Diagnostic) {
    let rest = position % alignment
    if rest != 0 { try pad(to: position + alignment - rest) }
  }

  /// Replaces bytes written before: headers that hold a hash of what follows them.
  public func overwrite(at offset: Int, with bytes: [UInt8]) throws(Diagnostic) {
    guard offset >= 0, offset <= position, bytes.count <= position - offset else {
      throw .bug("overwriting \(path) outside what was written")
    }
    try flush()
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { raw in
        pwrite(descriptor, raw.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw writeFailure() }
      done += written
    }
  }

  /// Puts the file in its place. `sync` waits until the disk has it.
  public func commit(sync: Bool = false) throws(Diagnostic) {
    guard descriptor >= 0 else { throw .bug("\(path) committed twice") }
    try flush()
    if sync, fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { throw writeFailure() }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else {
      let failure = writeFailure()
      aside?.discard()
      throw failure
    }
    try aside?.commit()
  }

  /// Gives up: the target stays as it was.
  public func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    aside?.discard()
  }

  private func flush() throws(Diagnostic) {
    guard !buffer.isEmpty else { return }
    try buffer.withUnsafeBufferPointer { (raw) throws(Diagnostic) in try send(UnsafeRawBufferPointer(raw)) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func send(_ bytes: UnsafeRawBufferPointer) throws(Diagnostic) {
    guard descriptor >= 0 else { throw .bug("\(path) written after commit") }
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let written = Glibc.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw writeFailure() }
      done += written
    }
  }

  private func writeFailure() -> Diagnostic {
    .invalid("cannot be written: \(systemErrorText())", at: Location(file: path))
  }
}

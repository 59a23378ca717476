import Support

/// A run of weights at its place in a larger image: what an artifact's weights are made of.
public struct WeightsPiece {
  /// Receives a piece's bytes in order.
  public typealias Sink = (UnsafeRawBufferPointer) throws(Diagnostic) -> Void

  public enum Content {
    /// Bytes that are there already.
    case view(ByteView)
    /// Bytes made on the way, so that a packed copy of all weights never has to be in memory.
    case stream((Sink) throws(Diagnostic) -> Void)
  }

  /// Offset from the start of the image.
  public var offset: Int
  public var size: Int
  public var content: Content

  public init(offset: Int, _ view: ByteView) {
    self.offset = offset
    self.size = view.count
    self.content = .view(view)
  }

  public init(offset: Int, size: Int, _ stream: @escaping (Sink) throws(Diagnostic) -> Void) {
    self.offset = offset
    self.size = size
    self.content = .stream(stream)
  }

  /// Hands the bytes to `sink`, and fails where a stream makes more or fewer than it promised.
  func send(to sink: Sink) throws(Diagnostic) {
    switch content {
    case .view(let view):
      try view.withBytes { (raw) throws(Diagnostic) in try sink(raw) }
    case .stream(let stream):
      var sent = 0
      try stream { (bytes) throws(Diagnostic) in
        sent += bytes.count
        guard sent <= size else { throw .bug("weights at \(offset) make more than their \(size) bytes") }
        try sink(bytes)
      }
      guard sent == size else { throw .bug("weights at \(offset) make \(sent) bytes, not \(size)") }
    }
  }
}

/// All weights of an artifact: pieces in ascending order, zeros between them.
public struct WeightsImage {
  public let size: Int
  public let pieces: [WeightsPiece]

  /// Pieces must not overlap; they may come in any order.
  public init(size: Int, pieces: [WeightsPiece]) throws(Diagnostic) {
    let sorted = pieces.sorted { $0.offset < $1.offset }
    var end = 0
    for piece in sorted {
      guard piece.size >= 0, piece.offset >= end else { throw .bug("weights at \(piece.offset) overlap those before") }
      let (next, overflow) = piece.offset.addingReportingOverflow(piece.size)
      guard !overflow, next <= size else { throw .bug("weights at \(piece.offset) leave the image of \(size) bytes") }
      end = next
    }
    self.size = size
    self.pieces = sorted
  }

  /// Writes the image from the file's present position on, in bounded memory.
  public func write(to file: AtomicFile) throws(Diagnostic) {
    let start = file.position
    for piece in pieces {
      try file.pad(to: start + piece.offset)
      try piece.send { (bytes) throws(Diagnostic) in try file.write(bytes) }
    }
    try file.pad(to: start + size)
  }

  /// Writes the image into memory of its size that holds zeros.
  public func write(to memory: UnsafeMutableRawBufferPointer) throws(Diagnostic) {
    guard memory.count >= size else { throw .bug("\(memory.count) bytes for \(size) bytes of weights") }
    for piece in pieces {
      var position = piece.offset
      try piece.send { (bytes) throws(Diagnostic) in
        UnsafeMutableRawBufferPointer(rebasing: memory[position...]).copyMemory(from: bytes)
        position += bytes.count
      }
    }
  }
}

import IR

/// Which bytes of another buffer a buffer is: all, a stretch of them, or rows that lie apart from each other.
///
/// What a concat joins is written where it belongs in the result, and what a slice takes is read where it lies. Along
/// the last axis such a piece has its elements in rows, with elements of other pieces between them.
public struct BufferPart: Hashable, Sendable {
  /// Bytes in front of the first.
  public var offset: Int
  /// Nil where the bytes lie one behind the other.
  public var rows: Rows?

  public struct Rows: Hashable, Sendable {
    /// Bytes of one row.
    public var width: Int
    /// Bytes from one row to the next.
    public var pitch: Int
    public init(width: Int, pitch: Int) {
      self.width = width
      self.pitch = pitch
    }
  }

  public init(offset: Int = 0, rows: Rows? = nil) {
    self.offset = offset
    self.rows = rows
  }

  public static let whole = BufferPart()
}

extension [Buffer] {
  /// The buffer in whose memory another lies. Only the last name of a chain can be one of rows.
  func root(of buffer: BufferID) -> BufferID {
    var id = buffer
    while case .alias(let target, _) = self[id.number].place { id = target }
    return id
  }

  /// Where a buffer lies in its root.
  func part(of buffer: BufferID) -> BufferPart {
    var result = BufferPart.whole
    var id = buffer
    while case .alias(let target, let part) = self[id.number].place {
      result.offset += part.offset
      result.rows = result.rows ?? part.rows
      id = target
    }
    return result
  }

  /// Whether two buffers of one root surely share no byte.
  func areApart(_ a: BufferID, _ b: BufferID) -> Bool {
    let (x, y) = (part(of: a), part(of: b))
    if let length = self[a.number].bytes.constant, x.offset + length <= y.offset { return true }
    if let length = self[b.number].bytes.constant, y.offset + length <= x.offset { return true }
    guard let rows = x.rows, let others = y.rows, rows.pitch == others.pitch else { return false }
    // Each row of one lies behind a row of the other, and in front of that one's next.
    let distance = ((y.offset - x.offset) % rows.pitch + rows.pitch) % rows.pitch
    return distance >= rows.width && distance + others.width <= rows.pitch
  }
}

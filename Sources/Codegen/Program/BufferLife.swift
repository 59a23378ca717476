import IR

/// When and where a buffer occupies the workspace: what a picture of the memory plan shows.
public struct BufferLife: Sendable {
  public var label: String
  /// Steps, counted over the whole entry.
  public var first: Int
  public var last: Int
  /// Nil for a buffer of symbolic size, which lies in a slot.
  public var offset: Int?
  public var bytes: Dim
}

extension ProgramEntry {
  /// The workspace buffers, in order.
  public var lives: [BufferLife] {
    Liveness(buffers).lives(of: body).lives.map { life in
      BufferLife(
        label: buffers[life.buffer.number].label, first: life.first, last: life.last,
        offset: plan.offsets[life.buffer], bytes: life.bytes)
    }
  }
}

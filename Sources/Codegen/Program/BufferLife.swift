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
  /// The source ops of the step that touches it first, and that step's kernel.
  public var site: String?
  public var kernel: String?
}

extension ProgramEntry {
  /// The workspace buffers, in order.
  public var lives: [BufferLife] {
    var time = 0
    var owners: [Int: Dispatch] = [:]
    ProgramEntry.number(body, &time, &owners)
    return Liveness(buffers).lives(of: body).lives.map { life in
      BufferLife(
        label: buffers[life.buffer.number].label, first: life.first, last: life.last,
        offset: plan.offsets[life.buffer], bytes: life.bytes, site: owners[life.first]?.site,
        kernel: owners[life.first]?.kernel)
    }
  }

  /// The dispatches by their numbers, counted as lives are.
  private static func number(_ steps: [Step], _ time: inout Int, _ owners: inout [Int: Dispatch]) {
    for step in steps {
      time += 1
      switch step {
      case .dispatch(let dispatch): owners[time] = dispatch
      case .ifElse(_, let then, let otherwise):
        number(then, &time, &owners)
        number(otherwise, &time, &owners)
      case .loop(_, _, _, _, let body):
        number(body, &time, &owners)
        time += 1
      default: break
      }
    }
  }
}

import IR

/// A step that `--profile` measures.
///
/// Steps are numbered in the order in which they are written as C, those inside of
/// branches and loops where they stand.
public struct ProfiledStep: Sendable {
  public enum Work: Sendable {
    /// A kernel by name.
    case kernel(String)
    case copy, fill, deliver
  }

  /// The number of the entry it belongs to.
  public var entry: Int
  /// The source ops, as messages call them.
  public var site: String
  public var work: Work
  /// Of one call.
  var multiplyAdds: Dim
  /// Of one call: what it reads and writes at most, each buffer whole.
  var bytes: Dim

  /// Nil for steps that take no time worth measuring.
  init?(_ step: Step, entry number: Int, of entry: ProgramEntry) {
    self.entry = number
    multiplyAdds = 0
    func label(_ buffer: BufferID) -> String { entry.buffers[buffer.number].label }
    switch step {
    case .dispatch(let dispatch):
      site = dispatch.site
      work = .kernel(dispatch.kernel)
      multiplyAdds = dispatch.work
      bytes = dispatch.buffers.reduce(Dim(0)) { sum, use in
        let size = entry.buffers[use.buffer.number].bytes
        return sum + (use.access == .update ? size * 2 : size)
      }
    case .copy(let from, let to, let size):
      site = "\(label(from)) to \(label(to))"
      work = .copy
      bytes = size * 2
    case .fill(let buffer, let size):
      site = label(buffer)
      work = .fill
      bytes = size
    case .deliver(let output, let from, _):
      site = entry.outputs.indices.contains(output) ? entry.outputs[output].name : label(from)
      work = .deliver
      bytes = entry.buffers[from.number].bytes * 2
    default: return nil
    }
  }

  static func all(_ steps: [Step], entry number: Int, of entry: ProgramEntry) -> [ProfiledStep] {
    var result: [ProfiledStep] = []
    for step in steps {
      if let measured = ProfiledStep(step, entry: number, of: entry) { result.append(measured) }
      switch step {
      case .ifElse(_, let then, let otherwise):
        result += all(then, entry: number, of: entry) + all(otherwise, entry: number, of: entry)
      case .loop(_, _, _, _, let body): result += all(body, entry: number, of: entry)
      default: break
      }
    }
    return result
  }
}

extension Program {
  /// What `--profile` measures, in the order of its counts, which begin with one of each entry as a whole.
  public var profiledSteps: [ProfiledStep] {
    entries.enumerated().flatMap { number, entry in ProfiledStep.all(entry.body, entry: number, of: entry) }
  }
}

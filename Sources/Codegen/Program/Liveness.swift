import IR
import Support

/// When each workspace buffer is first written and last read, counted in steps.
struct Liveness {
  struct Result {
    var lives: [MemoryPlanner.Life]
    /// When the program first knows a symbol that the inputs do not tell.
    var bindings: [String: Int]
  }

  private let buffers: [Buffer]
  private var time = 0
  private var ranges: [BufferID: (first: Int, last: Int)] = [:]
  /// When each loop began and ended, inner ones first.
  private var loops: [(start: Int, end: Int)] = []
  private var bindings: [String: Int] = [:]

  init(_ buffers: [Buffer]) { self.buffers = buffers }

  func lives(of steps: [Step]) -> Result {
    var copy = self
    copy.walk(steps)
    copy.coverLoops()
    let lives = copy.ranges.sorted { $0.key < $1.key }.map {
      MemoryPlanner.Life(
        buffer: $0.key, bytes: buffers[$0.key.number].bytes, first: $0.value.first, last: min($0.value.last, copy.time))
    }
    return Result(lives: lives, bindings: copy.bindings)
  }

  private mutating func walk(_ steps: [Step]) {
    for step in steps {
      time += 1
      switch step {
      case .dispatch(let dispatch): for use in dispatch.buffers { touch(use.buffer) }
      case .call(let call): for use in call.buffers { touch(use.buffer) }
      case .bindSymbol(let name, let buffer, _, _):
        touch(buffer)
        bindings[name] = bindings[name] ?? time
      case .setSymbol(let name, _): bindings[name] = bindings[name] ?? time
      case .require: break
      case .copy(let from, let to, _):
        touch(from)
        touch(to)
      case .deliver(_, let buffer, _): touchToTheEnd(buffer)
      case .fill(let buffer, _), .storeIndex(_, let buffer, _), .storeByte(_, let buffer): touch(buffer)
      case .ifElse(let condition, let then, let otherwise):
        touch(condition)
        walk(then)
        walk(otherwise)
      case .loop(let counter, let trip, let condition, _, let body):
        bindings[counter] = bindings[counter] ?? time
        if let trip { touch(trip) }
        touch(condition)
        let start = time
        walk(body)
        // The condition, and whatever came from before the loop, is read again in the next iteration.
        touch(condition)
        time += 1
        for (buffer, range) in ranges where range.first <= start && range.last > start { ranges[buffer]!.last = time }
        loops.append((start, time))
      }
    }
  }

  /// What iterations leave behind piece by piece: first touched inside of a loop, but needed behind it, so that no
  /// iteration may use its memory for anything else.
  private mutating func coverLoops() {
    for loop in loops {
      for (buffer, range) in ranges where range.first > loop.start && range.first <= loop.end && range.last > loop.end {
        ranges[buffer]!.first = loop.start
      }
    }
  }

  /// A delivered output may be a view of the buffer itself, which then must outlive the run.
  private mutating func touchToTheEnd(_ buffer: BufferID) {
    touch(buffer)
    ranges[buffers.root(of: buffer)]?.last = Int.max
  }

  private mutating func touch(_ buffer: BufferID) {
    let id = buffers.root(of: buffer)
    guard buffers[id.number].place == .workspace else { return }
    if ranges[id] == nil { ranges[id] = (time, time) }
    ranges[id]!.last = max(ranges[id]!.last, time)
  }
}

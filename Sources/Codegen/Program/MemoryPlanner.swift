import IR
import Support

/// Gives every workspace buffer its place.
///
/// Buffers of constant size get offsets: several orders are tried, each placing a
/// buffer into the lowest gap between those that live at the same time, and the
/// smallest result wins; it stops early at the lower bound. Buffers of symbolic
/// size share slots with others whose lives do not touch theirs.
enum MemoryPlanner {
  static let alignment = 64

  struct Life {
    var buffer: BufferID
    var bytes: Dim
    var first: Int
    var last: Int
  }

  static func plan(_ program: ProgramBuilder, _ steps: [Step]) throws(Diagnostic) -> ([Buffer], MemoryPlan) {
    let buffers = program.buffers
    let liveness = Liveness(buffers).lives(of: steps)
    var plan = MemoryPlan()
    var fixed: [(life: Life, bytes: Int)] = []
    var symbolic: [Life] = []
    for life in liveness.lives {
      if let bytes = life.bytes.constant {
        guard bytes <= 1 << 46 else { throw .unsupported("a buffer of \(bytes) bytes is beyond any workspace") }
        fixed.append((life, (bytes + alignment - 1) / alignment * alignment))
      } else {
        symbolic.append(life)
      }
    }
    plan.lowerBound = lowerBound(fixed)
    let orders: [((life: Life, bytes: Int), (life: Life, bytes: Int)) -> Bool] = [
      { ($1.bytes, $0.life.first, $0.life.buffer) < ($0.bytes, $1.life.first, $1.life.buffer) },
      {
        let (a, b) = ($0.bytes * ($0.life.last - $0.life.first + 1), $1.bytes * ($1.life.last - $1.life.first + 1))
        return (b, $0.life.buffer) < (a, $1.life.buffer)
      },
      { ($0.life.first, $1.bytes, $0.life.buffer) < ($1.life.first, $0.bytes, $1.life.buffer) },
    ]
    var best: (offsets: [BufferID: Int], bytes: Int)?
    for order in orders {
      let candidate = place(fixed.sorted(by: order))
      if best.map({ candidate.bytes < $0.bytes }) ?? true { best = candidate }
      if best!.bytes <= plan.lowerBound { break }
    }
    plan.offsets = best?.offsets ?? [:]
    plan.fixedBytes = best?.bytes ?? 0
    plan.slots = slots(symbolic, program.symbolBounds)
    for life in symbolic {
      guard let slot = plan.slots.first(where: { $0.tenants.contains(life.buffer) }) else { continue }
      for symbol in slot.sizes.reduce(into: Set<String>(), { $0.formUnion($1.symbols) }).sorted()
      where liveness.bindings[symbol] ?? 0 > life.first {
        let label = buffers[life.buffer.number].label
        throw .unsupported("%\(label) takes \(life.bytes) bytes, which is known only when it has been written")
      }
    }
    return (buffers, plan)
  }

  /// The peak of bytes that live at once.
  private static func lowerBound(_ lives: [(life: Life, bytes: Int)]) -> Int {
    var changes: [(time: Int, bytes: Int)] = []
    for (life, bytes) in lives {
      changes.append((life.first, bytes))
      changes.append((life.last + 1, -bytes))
    }
    changes.sort { ($0.time, $0.bytes) < ($1.time, $1.bytes) }
    var live = 0
    var peak = 0
    for change in changes {
      live += change.bytes
      peak = max(peak, live)
    }
    return peak
  }

  private static func place(_ lives: [(life: Life, bytes: Int)]) -> (offsets: [BufferID: Int], bytes: Int) {
    var placed: [(offset: Int, end: Int, first: Int, last: Int)] = []
    var offsets: [BufferID: Int] = [:]
    var total = 0
    for (life, bytes) in lives {
      // `placed` is kept sorted by offset, so the first gap that fits is the lowest.
      var offset = 0
      for other in placed where other.first <= life.last && life.first <= other.last {
        if other.offset >= offset + bytes { break }
        offset = max(offset, other.end)
      }
      offsets[life.buffer] = offset
      total = max(total, offset + bytes)
      let entry = (offset: offset, end: offset + bytes, first: life.first, last: life.last)
      let position = placed.firstIndex { $0.offset > offset } ?? placed.count
      placed.insert(entry, at: position)
    }
    return (offsets, total)
  }

  /// Slots in which lives follow each other. Sizes are compared where they can be: equal sizes share first.
  private static func slots(_ lives: [Life], _ bounds: [String: Dim]) -> [MemoryPlan.Slot] {
    var slots: [(slot: MemoryPlan.Slot, lastUse: Int, symbols: Set<String>)] = []
    for life in lives.sorted(by: { ($0.first, $0.buffer) < ($1.first, $1.buffer) }) {
      let size = bounded(life.bytes, bounds)
      let symbols = size.symbols
      // A slot whose size needs a symbol that is bound late must not delay others: symbols have to agree.
      let candidates = slots.indices.filter { slots[$0].lastUse < life.first && slots[$0].symbols == symbols }
      let chosen = candidates.first { slots[$0].slot.sizes.contains(size) } ?? candidates.first
      if let chosen {
        slots[chosen].slot.tenants.append(life.buffer)
        if !slots[chosen].slot.sizes.contains(size) { slots[chosen].slot.sizes.append(size) }
        slots[chosen].lastUse = life.last
      } else {
        slots.append((MemoryPlan.Slot(tenants: [life.buffer], sizes: [size]), life.last, symbols))
      }
    }
    return slots.map { MemoryPlan.Slot(tenants: $0.slot.tenants.sorted(), sizes: $0.slot.sizes) }
  }

  /// The size with data-dependent symbols replaced by what they cannot exceed, where that only makes it larger.
  private static func bounded(_ size: Dim, _ bounds: [String: Dim]) -> Dim {
    var result = size
    for _ in 0..<8 {
      let known = bounds.filter { result.symbols.contains($0.key) && result.grows(with: $0.key) }
      guard !known.isEmpty else { break }
      result = result.substitute(known)
    }
    return result
  }
}

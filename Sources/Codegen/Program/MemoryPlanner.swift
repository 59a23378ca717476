import IR
import Support

/// Gives every workspace buffer its place.
///
/// Buffers of constant size get offsets, see `OffsetSearch`. Buffers of symbolic size share slots with others whose
/// lives do not touch theirs.
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
    var fixed: [OffsetSearch.Item] = []
    var symbolic: [Life] = []
    for life in liveness.lives {
      if let bytes = life.bytes.constant {
        guard bytes <= 1 << 46 else { throw .unsupported("a buffer of \(bytes) bytes is beyond any workspace") }
        let whole = (bytes + alignment - 1) / alignment * alignment
        fixed.append(OffsetSearch.Item(buffer: life.buffer, bytes: whole, first: life.first, last: life.last))
      } else {
        symbolic.append(life)
      }
    }
    let search = OffsetSearch(fixed)
    let best = search.run()
    plan.lowerBound = search.lowerBound
    plan.fixedBytes = best.bytes
    for (item, offset) in zip(fixed, best.offsets) { plan.offsets[item.buffer] = offset }
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

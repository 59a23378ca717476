import IR
import Support

/// Buffers may share memory when they are not alive at the same time.
extension EntryVerifier {
  mutating func verifySharing() throws(Diagnostic) {
    let liveness = Liveness(entry.buffers).lives(of: entry.body)
    var lives: [BufferID: MemoryPlanner.Life] = [:]
    for life in liveness.lives { lives[life.buffer] = life }
    try verifyOffsets(liveness.lives)
    for (number, slot) in entry.plan.slots.enumerated() {
      let tenants = slot.tenants.compactMap { lives[$0] }.sorted { ($0.first, $0.buffer) < ($1.first, $1.buffer) }
      for (life, next) in zip(tenants, tenants.dropFirst()) where next.first <= life.last {
        part = .buffer(next.buffer.number)
        throw fail("%\(life.buffer.number) and %\(next.buffer.number) are in slot \(number) at the same time")
      }
      guard let first = tenants.first else { continue }
      for symbol in slot.sizes.reduce(into: Set<String>(), { $0.formUnion($1.symbols) }).sorted()
      where !inputSymbols.contains(symbol) && liveness.bindings[symbol].map({ $0 > first.first }) ?? true {
        part = .slot(number)
        throw fail("\(MIRName.symbol(symbol)) has no value when slot \(number) is first used")
      }
    }
  }

  /// Walks over the lives as they begin, with those still alive at hand in the order of their offsets.
  private mutating func verifyOffsets(_ lives: [MemoryPlanner.Life]) throws(Diagnostic) {
    var alive: [(offset: Int, end: Int, life: MemoryPlanner.Life)] = []
    for life in lives.sorted(by: { ($0.first, $0.buffer) < ($1.first, $1.buffer) }) {
      guard let offset = entry.plan.offsets[life.buffer], let bytes = life.bytes.constant, bytes > 0 else { continue }
      alive.removeAll { $0.life.last < life.first }
      let end = offset + bytes
      let position = alive.firstIndex { $0.end > offset } ?? alive.count
      if position < alive.count, alive[position].offset < end {
        part = .buffer(life.buffer.number)
        let other = alive[position].life.buffer.number
        throw fail("%\(life.buffer.number) overlaps %\(other), which is still needed")
      }
      alive.insert((offset, end, life), at: position)
    }
  }
}

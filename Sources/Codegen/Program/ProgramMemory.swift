import IR
import Support

/// The memory of one interpreted run: inputs, outputs and a workspace laid out by the plan.
final class ProgramMemory {
  /// One stretch of memory.
  private enum Space: Hashable {
    case workspace, weights, states
    case input(Int)
    case output(Int)
    case growing(BufferID)
  }
  private struct Place {
    var space: Space
    var offset: Int
    var bytes: Int
  }

  var symbols: [String: Int]
  private(set) var states: [UInt8]
  private let entry: ProgramEntry
  private let weights: [UInt8]
  private let inputs: [[UInt8]]
  private var outputs: [Int: [UInt8]] = [:]
  /// What loops have collected.
  private var lists: [BufferID: [UInt8]] = [:]
  private var workspace: [UInt8]
  private var slotOfBuffer: [BufferID: Int] = [:]
  /// Where each slot lies, once something has touched it.
  private var slots: [Int: (offset: Int, bytes: Int)] = [:]

  /// What fresh memory holds: a pattern unlike any result.
  private static let garbage: UInt8 = 0xa5
  /// The most bytes a run may take.
  private static let limit = 1 << 32

  init(
    _ entry: ProgramEntry, inputs: [[UInt8]], symbols: [String: Int], _ interpreter: ProgramInterpreter
  ) throws(Diagnostic) {
    self.entry = entry
    self.inputs = inputs
    self.symbols = symbols
    weights = interpreter.weights
    states = interpreter.states
    guard entry.plan.fixedBytes <= ProgramMemory.limit else {
      throw .invalid("the workspace is too large to interpret")
    }
    workspace = [UInt8](repeating: ProgramMemory.garbage, count: entry.plan.fixedBytes)
    for (number, slot) in entry.plan.slots.enumerated() {
      for tenant in slot.tenants { slotOfBuffer[tenant] = number }
    }
  }

  /// The run-time value of a dim.
  func value(_ dim: Dim) throws(Diagnostic) -> Int {
    guard let value = dim.evaluate(symbols) else { throw .bug("\(dim) has no value yet") }
    return value
  }

  /// All bytes of a buffer.
  func bytes(of buffer: BufferID, atLeast count: Int = 0) throws(Diagnostic) -> [UInt8] {
    let place = try place(of: buffer)
    guard place.bytes >= count else { throw tooSmall(buffer, count) }
    let range = place.offset..<place.offset + place.bytes
    switch place.space {
    case .workspace: return Array(workspace[range])
    case .weights: return Array(weights[range])
    case .states: return Array(states[range])
    case .input(let number): return Array(inputs[number][range])
    case .output(let number): return Array((outputs[number] ?? [])[range])
    case .growing(let list): return Array((lists[list] ?? [])[range])
    }
  }

  func integer(_ buffer: BufferID) throws(Diagnostic) -> Int {
    var value = 0
    for (number, byte) in try bytes(of: buffer, atLeast: 8).prefix(8).enumerated() {
      value |= Int(byte) << (number * 8)
    }
    return value
  }

  /// Takes over what a kernel made of a buffer. What lies between rows must be as it was.
  func replace(_ buffer: BufferID, _ before: [UInt8], with bytes: [UInt8]) throws(Diagnostic) {
    guard case .alias(_, let part) = entry.buffers[buffer.number].place, let rows = part.rows else {
      return try write(bytes, to: buffer, offset: 0)
    }
    for start in stride(from: 0, to: bytes.count, by: rows.pitch) {
      let end = min(start + rows.width, bytes.count)
      let next = min(start + rows.pitch, bytes.count)
      guard before[end..<next] == bytes[end..<next] else {
        throw .bug("a kernel writes between the rows of \(entry.buffers[buffer.number].label)")
      }
      try write(Array(bytes[start..<end]), to: buffer, offset: start)
    }
  }

  func write(_ bytes: [UInt8], to buffer: BufferID, offset: Int) throws(Diagnostic) {
    let place = try place(of: buffer)
    guard offset >= 0, offset + bytes.count <= place.bytes else { throw tooSmall(buffer, offset + bytes.count) }
    let start = place.offset + offset
    let range = start..<start + bytes.count
    switch place.space {
    case .workspace: workspace.replaceSubrange(range, with: bytes)
    case .states: states.replaceSubrange(range, with: bytes)
    case .output(let number): outputs[number]?.replaceSubrange(range, with: bytes)
    case .growing(let list): lists[list]?.replaceSubrange(range, with: bytes)
    case .weights, .input: throw .bug("the buffer \(entry.buffers[buffer.number].label) is only read")
    }
  }

  /// Makes a list longer, or empty for another loop.
  func setLength(of list: BufferID, to bytes: Int) throws(Diagnostic) {
    guard bytes >= 0, bytes <= ProgramMemory.limit else {
      throw .invalid("the buffer \(entry.buffers[list.number].label) would have \(bytes) bytes")
    }
    var content = lists[list] ?? []
    content = Array(content.prefix(bytes))
    content += [UInt8](repeating: ProgramMemory.garbage, count: bytes - content.count)
    lists[list] = content
  }

  /// Whether two buffers share a byte.
  func overlap(_ a: BufferID, _ b: BufferID) throws(Diagnostic) -> Bool {
    let (x, y) = (try place(of: a), try place(of: b))
    if entry.buffers.root(of: a) == entry.buffers.root(of: b), entry.buffers.areApart(a, b) { return false }
    return x.space == y.space && x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes
  }

  /// Inputs and outputs belong to the caller, who promises no more than their elements need.
  func checkAlignment(of buffer: BufferID, _ alignment: Int) throws(Diagnostic) {
    let place = try place(of: buffer)
    guard place.offset % alignment == 0 else {
      throw .bug("the buffer \(entry.buffers[buffer.number].label) is not aligned to \(alignment)")
    }
  }

  private func tooSmall(_ buffer: BufferID, _ bytes: Int) -> Diagnostic {
    .bug("the buffer \(entry.buffers[buffer.number].label) has less than \(bytes) bytes")
  }

  // MARK: Places

  private func place(of buffer: BufferID) throws(Diagnostic) -> Place {
    let known = entry.buffers[buffer.number]
    // The size may depend on a symbol that is told later, when the plan has a bound for it.
    let bytes = known.bytes.evaluate(symbols)
    if let bytes, bytes < 0 || bytes > ProgramMemory.limit {
      throw .invalid("the buffer \(known.label) would have \(bytes) bytes")
    }
    func within(_ space: Space, _ offset: Int, _ available: Int) throws(Diagnostic) -> Place {
      guard (bytes ?? 0) <= available else { throw tooSmall(buffer, bytes ?? 0) }
      return Place(space: space, offset: offset, bytes: bytes ?? available)
    }
    switch known.place {
    case .alias(let target, let part):
      let base = try place(of: target)
      // A part of nothing lies nowhere.
      if bytes == 0 { return Place(space: base.space, offset: base.offset, bytes: 0) }
      return try within(base.space, base.offset + part.offset, base.bytes - part.offset)
    case .weight(let offset): return try within(.weights, offset, weights.count - offset)
    case .state(let offset): return try within(.states, offset, states.count - offset)
    case .input(let number): return try within(.input(number), 0, inputs[number].count)
    case .output(let number):
      guard let bytes else { throw .bug("the output \(known.label) has no size yet") }
      if outputs[number] == nil { outputs[number] = [UInt8](repeating: ProgramMemory.garbage, count: bytes) }
      return try within(.output(number), 0, outputs[number]?.count ?? 0)
    case .growing:
      // While it grows, its size's symbol is what it was for an earlier loop, or nothing.
      return Place(space: .growing(buffer), offset: 0, bytes: lists[buffer]?.count ?? 0)
    case .workspace:
      if let offset = entry.plan.offsets[buffer] {
        return try within(.workspace, offset, entry.plan.fixedBytes - offset)
      }
      guard let number = slotOfBuffer[buffer] else { throw .bug("the buffer \(known.label) has no place") }
      let slot = try place(slot: number)
      return try within(.workspace, slot.offset, slot.bytes)
    }
  }

  /// A slot gets its place when it is first touched, and a larger one when its symbols grow.
  private func place(slot number: Int) throws(Diagnostic) -> (offset: Int, bytes: Int) {
    var needed = 0
    for size in entry.plan.slots[number].sizes {
      // A tenant whose size no symbol tells yet is not alive yet.
      if let bytes = size.evaluate(symbols) { needed = max(needed, bytes) }
    }
    if let known = slots[number], known.bytes >= needed { return known }
    guard needed + workspace.count <= ProgramMemory.limit else {
      throw .invalid("the workspace is too large to interpret")
    }
    let offset = (workspace.count + MemoryPlanner.alignment - 1) / MemoryPlanner.alignment * MemoryPlanner.alignment
    var content = [UInt8](repeating: ProgramMemory.garbage, count: offset + needed - workspace.count)
    if let old = slots[number] {
      let start = offset - workspace.count
      content.replaceSubrange(start..<start + old.bytes, with: workspace[old.offset..<old.offset + old.bytes])
    }
    workspace += content
    slots[number] = (offset, needed)
    return (offset, needed)
  }
}

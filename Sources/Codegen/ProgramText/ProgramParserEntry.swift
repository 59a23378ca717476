import IR
import Support

/// An entry's declarations: symbols, ports, slots and buffers, in this order.
extension ProgramParser {
  mutating func parseEntry(at start: Int) throws(Diagnostic) {
    entry = ProgramEntry()
    places.entries.append(ProgramPlaces.Entry(start: start))
    entry.name = try reader.cursor.name(.reference, "the entry's name with @").name
    try expect("workspace")
    entry.plan.fixedBytes = try size("the size of the workspace")
    try reader.cursor.expect(.comma, "after the size of the workspace")
    try expect("at")
    try expect("least")
    entry.plan.lowerBound = try size("the least size of a workspace")
    try reader.cursor.expect(.openBrace, "before the entry")
    while true {
      let start = reader.cursor.token.start
      if try reader.cursor.take(word: "symbol") {
        try parseSymbol()
        note(\.symbols, start)
      } else if try reader.cursor.take(word: "input") {
        try parseInput()
        note(\.inputs, start)
      } else if try reader.cursor.take(word: "output") {
        entry.outputs.append(try parsePort())
        note(\.outputs, start)
      } else if try reader.cursor.take(word: "slot") {
        try parseSlot(at: start)
        note(\.slots, start)
      } else if reader.cursor.token.kind == .value {
        try parseBuffer(at: start)
        note(\.buffers, start)
      } else {
        break
      }
    }
    entry.body = try parseSteps()
  }

  mutating func note(_ list: WritableKeyPath<ProgramPlaces.Entry, [Int]>, _ start: Int) {
    places.entries[places.entries.count - 1][keyPath: list].append(start)
  }

  private mutating func parseSymbol() throws(Diagnostic) {
    let name = try symbolName()
    try expect("in")
    entry.symbols.append(Symbol(name: name, range: try closedRange()))
  }

  /// `"x" = %0 : f32[n, 4]`
  private mutating func parsePort() throws(Diagnostic) -> Port {
    let name = try reader.cursor.string("a name")
    try reader.cursor.expect(.equals, "after the name")
    let buffer = try buffer()
    try reader.cursor.expect(.colon, "before the type")
    return Port(name: name, value: try reader.type(), buffer: buffer)
  }

  private mutating func parseInput() throws(Diagnostic) {
    var port = try parsePort()
    if try reader.cursor.take(word: "in") {
      let start = reader.cursor.token.start
      let (low, high) = try range()
      guard high < Int.max, low <= high + 1 else {
        throw reader.cursor.error("\(low)...\(high) is no range of an input", at: start)
      }
      port.accepts = low..<high + 1
    }
    entry.inputs.append(port)
  }

  /// `slot 0 : 40 * n, 16 * n bytes`
  private mutating func parseSlot(at start: Int) throws(Diagnostic) {
    guard try size("the number of a slot") == entry.plan.slots.count else {
      throw reader.cursor.error("slots are numbered from 0 on", at: start)
    }
    try reader.cursor.expect(.colon, "after the slot's number")
    var sizes = [try reader.dim()]
    while try reader.cursor.take(.comma) { sizes.append(try reader.dim()) }
    try expect("bytes")
    entry.plan.slots.append(MemoryPlan.Slot(tenants: [], sizes: sizes))
  }

  /// `%2 = slot 0 : 40 * n bytes "logits"`
  private mutating func parseBuffer(at start: Int) throws(Diagnostic) {
    let id = try buffer()
    guard id.number == entry.buffers.count else {
      throw reader.cursor.error("buffers are numbered from 0 on", at: start)
    }
    try reader.cursor.expect(.equals, "after the buffer's number")
    let place = try parsePlace(of: id)
    try reader.cursor.expect(.colon, "after the buffer's place")
    let bytes = try byteCount()
    entry.buffers.append(Buffer(label: try reader.cursor.string("a label"), bytes: bytes, place: place))
  }

  /// Behind another buffer's name: nothing, ` + 64`, ` + 64 rows 32 of 128`.
  private mutating func parsePart() throws(Diagnostic) -> BufferPart {
    guard try reader.cursor.take(.plus) else { return .whole }
    var part = BufferPart(offset: try size("an offset"))
    if try reader.cursor.take(word: "rows") {
      let width = try size("the bytes of a row")
      try expect("of")
      part.rows = BufferPart.Rows(width: width, pitch: try size("the bytes from one row to the next"))
    }
    return part
  }

  private mutating func parsePlace(of id: BufferID) throws(Diagnostic) -> Buffer.Place {
    if reader.cursor.token.kind == .value { return .alias(try buffer(), try parsePart()) }
    let start = reader.cursor.token.start
    let keyword = try reader.cursor.word("the buffer's place")
    switch keyword {
    case "unused": return .workspace
    case "growing": return .growing
    case "input": return .input(try size("the number of an input"))
    case "output": return .output(try size("the number of an output"))
    case "weights": return .weight(try size("an offset"))
    case "state": return .state(try size("an offset"))
    case "workspace":
      entry.plan.offsets[id] = try size("an offset")
      return .workspace
    case "slot":
      let number = try size("the number of a slot")
      guard entry.plan.slots.indices.contains(number) else {
        throw reader.cursor.error("there is no slot \(number)", at: start)
      }
      entry.plan.slots[number].tenants.append(id)
      return .workspace
    default:
      throw reader.cursor.error(
        "there is no place called \(keyword)", at: start,
        hint: "input, output, weights, state, workspace, slot, growing, unused or another buffer")
    }
  }
}

import IR
import Support

extension Program: CustomStringConvertible {
  /// The scheduled phase as text: what `run` does, step by step.
  public var description: String {
    var out = CodeWriter()
    out.line("program @\(name) weights \(weightBytes) state \(stateBytes) {")
    for weight in weights { out.line("weight @\(weight.name) [\(weight.offset), \(weight.bytes)]") }
    for state in states { out.line("state @\(state.name) [\(state.offset), \(state.bytes)]") }
    for entry in entries { EntryPrinter(entry).print(&out) }
    out.line("}")
    return out.text
  }
}

private struct EntryPrinter {
  let entry: ProgramEntry
  private let slotOf: [BufferID: Int]

  init(_ entry: ProgramEntry) {
    self.entry = entry
    var slots: [BufferID: Int] = [:]
    for (number, slot) in entry.plan.slots.enumerated() { for tenant in slot.tenants { slots[tenant] = number } }
    slotOf = slots
  }

  func print(_ out: inout CodeWriter) {
    let inputs = entry.inputs.map { "\($0.name): in \($0.type)" }
    let outputs = entry.outputs.map { "\($0.name): out \($0.type)" }
    out.line(
      "entry @\(entry.name)(\((inputs + outputs).joined(separator: ", "))) workspace \(entry.plan.fixedBytes), "
        + "lower bound \(entry.plan.lowerBound) {")
    for (number, buffer) in entry.buffers.enumerated() {
      if let place = place(BufferID(number)) {
        out.line("%\(number) = \(place) : \(buffer.bytes) bytes  // \(buffer.label)")
      }
    }
    for (number, slot) in entry.plan.slots.enumerated() {
      out.line("slot \(number) : \(slot.sizes.map(\.description).joined(separator: " | ")) bytes")
    }
    print(entry.body, &out)
    out.line("}")
  }

  private func place(_ id: BufferID) -> String? {
    switch entry.buffers[id.number].place {
    case .workspace:
      if let slot = slotOf[id] { return "slot \(slot)" }
      return entry.plan.offsets[id].map { "workspace \($0)" }
    case .input(let number): return "input \(number)"
    case .output(let number): return "output \(number)"
    case .weight(let offset): return "weights \(offset)"
    case .state(let offset): return "state \(offset)"
    case .alias(let target): return "%\(target.number)"
    case .growing: return "growing"
    }
  }

  private func print(_ steps: [Step], _ out: inout CodeWriter) {
    for step in steps {
      switch step {
      case .dispatch(let dispatch):
        let buffers = dispatch.buffers.map { "\($0.access.rawValue) %\($0.buffer.number)" }
        let arguments = (buffers + dispatch.scalars.map(\.description)).joined(separator: ", ")
        let work = dispatch.work == 0 ? "" : "  // \(dispatch.work) multiply-adds"
        out.line(
          "dispatch @\(dispatch.kernel)(\(arguments)) parts \(dispatch.parallelism) loc \"\(dispatch.site)\"\(work)")
      case .bindSymbol(let name, let buffer, _, _): out.line("\(name) = load i64 %\(buffer.number)")
      case .setSymbol(let name, let value): out.line("\(name) = \(value)")
      case .require(let a, let b, _): out.line("require \(a) == \(b)")
      case .copy(let from, let to, let bytes): out.line("copy %\(from.number) to %\(to.number), \(bytes) bytes")
      case .fill(let buffer, let bytes): out.line("zero %\(buffer.number), \(bytes) bytes")
      case .deliver(let output, let from, let dims):
        out.line("deliver %\(from.number) as output \(output) \(dims)")
      case .storeIndex(let value, let buffer, let offset):
        out.line("store i64 \(value) to %\(buffer.number) + \(offset)")
      case .storeByte(let value, let buffer): out.line("store byte \(value) to %\(buffer.number)")
      case .ifElse(let condition, let then, let otherwise):
        out.line("if %\(condition.number) {")
        print(then, &out)
        out.line("} else {")
        print(otherwise, &out)
        out.line("}")
      case .loop(let counter, let trip, let condition, let growing, let body):
        let lists = growing.map { "%\($0.buffer.number) by \($0.bytes) bytes" }
        let grows = lists.isEmpty ? "" : " growing " + lists.joined(separator: ", ")
        out.line(
          "loop \(counter) while %\(condition.number)\(trip.map { " up to %\($0.number)" } ?? "")\(grows) {")
        print(body, &out)
        out.line("}")
      }
    }
  }
}

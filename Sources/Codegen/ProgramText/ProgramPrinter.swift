import IR
import Support

extension Program: CustomStringConvertible {
  /// The scheduled phase as text: what `run` does, step by step. `ProgramParser` reads it back, together with the
  /// kernels it names.
  ///
  ///     program @digits weights 616 state 0 {
  ///       weight @w at 0, 576 bytes
  ///       weight @b at 576, 40 bytes
  ///       entry @main workspace 0, at least 0 {
  ///         symbol n in 1...4096
  ///         input "x" = %0 : f32[n, 4]
  ///         output "scores" = %3 : f32[n, 10]
  ///         slot 0 : 40 * n bytes
  ///         %0 = input 0 : 16 * n bytes "x"
  ///         %1 = weights 0 : 576 bytes "@w"
  ///         %2 = slot 0 : 40 * n bytes "logits"
  ///         %3 = output 0 : 40 * n bytes "scores"
  ///         dispatch @k_matmul_62d0(read %1, write %2, read %0, n) parts floordiv(n, 67) work 40 * n loc "Gemm"
  ///         dispatch @k_softmax_a45d(read %2, write %3, n) parts 1 loc "Softmax"
  ///       }
  ///     }
  public var description: String {
    var out = CodeWriter()
    out.line("program @\(MIRName.sigiled(name)) weights \(weightBytes) state \(stateBytes) {")
    for weight in weights {
      out.line("weight @\(MIRName.sigiled(weight.name)) at \(weight.offset), \(weight.bytes) bytes")
    }
    for state in states {
      let initial = state.initial.map { " = @\(MIRName.sigiled($0))" } ?? ""
      out.line("state @\(MIRName.sigiled(state.name)) at \(state.offset), \(state.bytes) bytes\(initial)")
    }
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
    let plan = entry.plan
    out.line("entry @\(MIRName.sigiled(entry.name)) workspace \(plan.fixedBytes), at least \(plan.lowerBound) {")
    for symbol in entry.symbols { out.line("symbol \(MIRName.symbol(symbol.name)) in \(text(symbol.range))") }
    for port in entry.inputs {
      let range = port.accepts.map { " in \($0.lowerBound)...\($0.upperBound - 1)" } ?? ""
      out.line("input \(text(port))\(range)")
    }
    for port in entry.outputs { out.line("output \(text(port))") }
    for (number, slot) in plan.slots.enumerated() {
      out.line("slot \(number) : \(slot.sizes.map(\.description).joined(separator: ", ")) bytes")
    }
    for (number, buffer) in entry.buffers.enumerated() {
      out.line("%\(number) = \(place(BufferID(number))) : \(buffer.bytes) bytes \(MIRName.quoted(buffer.label))")
    }
    print(entry.body, &out)
    out.line("}")
  }

  private func text(_ port: Port) -> String { "\(MIRName.quoted(port.name)) = \(text(port.buffer)) : \(port.value)" }
  private func text(_ buffer: BufferID) -> String { "%\(buffer.number)" }
  private func text(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound)...\(range.upperBound)" }

  private func place(_ id: BufferID) -> String {
    switch entry.buffers[id.number].place {
    case .workspace:
      if let slot = slotOf[id] { return "slot \(slot)" }
      // What no step touches has no place.
      return entry.plan.offsets[id].map { "workspace \($0)" } ?? "unused"
    case .input(let number): return "input \(number)"
    case .output(let number): return "output \(number)"
    case .weight(let offset): return "weights \(offset)"
    case .state(let offset): return "state \(offset)"
    case .alias(let target, let part):
      let offset = part == .whole ? "" : " + \(part.offset)"
      return text(target) + offset + (part.rows.map { " rows \($0.width) of \($0.pitch)" } ?? "")
    case .growing: return "growing"
    }
  }

  private func print(_ steps: [Step], _ out: inout CodeWriter) {
    for step in steps { print(step, &out) }
  }

  private func print(_ step: Step, _ out: inout CodeWriter) {
    switch step {
    case .dispatch(let dispatch):
      let buffers = dispatch.buffers.map { "\($0.access.rawValue) \(text($0.buffer))" }
      let arguments = (buffers + dispatch.scalars.map(\.description)).joined(separator: ", ")
      let work = dispatch.work == 0 ? "" : " work \(dispatch.work)"
      out.line("dispatch @\(dispatch.kernel)(\(arguments)) parts \(dispatch.parallelism)\(work)\(at(dispatch.site))")
    case .call(let call):
      let buffers = call.buffers.map { "\($0.access.rawValue) \(text($0.buffer))" }
      let arguments = (buffers + call.scalars.map(\.description)).joined(separator: ", ")
      out.line("call \(call.function.rawValue)(\(arguments))\(at(call.site))")
    case .bindSymbol(let name, let buffer, let range, let site):
      let limits = range == Int.min...Int.max ? "" : " in \(text(range))"
      out.line("bind \(MIRName.symbol(name)) = i64 \(text(buffer))\(limits)\(at(site))")
    case .setSymbol(let name, let value): out.line("let \(MIRName.symbol(name)) = \(value)")
    case .require(let a, let b, let site): out.line("require \(a) == \(b)\(at(site))")
    case .copy(let from, let to, let bytes): out.line("copy \(text(from)) to \(text(to)), \(bytes) bytes")
    case .fill(let buffer, let bytes): out.line("zero \(text(buffer)), \(bytes) bytes")
    case .deliver(let output, let from, let dims):
      let shape = dims.map(\.description).joined(separator: ", ")
      out.line("deliver \(text(from)) as output \(output) [\(shape)]")
    case .storeIndex(let value, let buffer, let offset):
      out.line("store i64 \(value) to \(text(buffer)) + \(offset)")
    case .storeByte(let value, let buffer): out.line("store byte \(value) to \(text(buffer))")
    case .ifElse(let condition, let then, let otherwise):
      out.line("if \(text(condition)) {")
      print(then, &out)
      out.line("} else {")
      print(otherwise, &out)
      out.line("}")
    case .loop(let counter, let trip, let condition, let growing, let body):
      let limit = trip.map { " up to \(text($0))" } ?? ""
      let lists = growing.map { "\(text($0.buffer)) by \($0.bytes) bytes" }.joined(separator: ", ")
      let grows = lists.isEmpty ? "" : " growing " + lists
      out.line("loop \(MIRName.symbol(counter)) while \(text(condition))\(limit)\(grows) {")
      print(body, &out)
      out.line("}")
    }
  }

  private func at(_ site: String) -> String { " loc \(MIRName.quoted(site))" }
}

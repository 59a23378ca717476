import IR
import Support

/// One entry of an artifact in C: its tensors' tables, and its program as a function.
struct EntrySource {
  private let entry: ProgramEntry
  private let prefix: String
  /// Variables of all symbols, those of the inputs first.
  private var variables: [String: String] = [:]
  private var symbolOrder: [String] = []
  private let entrySymbols: Set<String>
  /// Which slot a buffer of symbolic size lies in.
  private var slotOf: [BufferID: Int] = [:]
  private var bound: Set<String> = []
  private var expressions: [Dim] = []
  private var temporaries = 0
  /// What loops collect, each with a pointer that moves.
  private var lists: [BufferID] = []
  /// The number of the entry's count, and that of the next step; nil where nothing is measured.
  private var counts: (entry: Int, steps: Int)?

  init(_ entry: ProgramEntry, prefix: String, counts: (entry: Int, steps: Int)? = nil) {
    self.entry = entry
    self.prefix = prefix
    self.counts = counts
    entrySymbols = Set(entry.symbols.map(\.name))
    for symbol in entry.symbols { declare(symbol.name) }
    for (number, slot) in entry.plan.slots.enumerated() {
      for tenant in slot.tenants { slotOf[tenant] = number }
    }
    declareSymbols(of: entry.body)
  }

  private mutating func declare(_ symbol: String) {
    guard variables[symbol] == nil else { return }
    variables[symbol] = "v\(symbolOrder.count)"
    symbolOrder.append(symbol)
  }

  private mutating func declareSymbols(of steps: [Step]) {
    for step in steps {
      switch step {
      case .bindSymbol(let name, _, _, _), .setSymbol(let name, _): declare(name)
      case .ifElse(_, let then, let otherwise):
        declareSymbols(of: then)
        declareSymbols(of: otherwise)
      case .loop(let counter, _, _, let growing, let body):
        for list in growing { lists.append(list.buffer) }
        declare(counter)
        declareSymbols(of: body)
      default: break
      }
    }
  }

  mutating func emit(_ out: inout CodeWriter) {
    emitTables(&out)
    emitPlanned(&out)
    emitBind(&out)
    emitProgram(&out)
    emitRun(&out)
  }

  // MARK: Tables

  private mutating func emitTables(_ out: inout CodeWriter) {
    var symbolNames: [String] = []
    for (number, symbol) in entry.symbols.enumerated() {
      let name = "\(prefix)_symbol\(number)"
      out.line(
        "static const martlet_symbol_info \(name) = {sizeof(martlet_symbol_info), 0, \(CSyntax.quoted(symbol.name)), "
          + "\(symbol.range.lowerBound), \(symbol.range.upperBound)};")
      symbolNames.append("&\(name)")
    }
    let inputs = emitPorts(entry.inputs, "input", &out)
    let outputs = emitPorts(entry.outputs, "output", &out)
    var expressionNames: [String] = []
    for (number, dim) in expressions.enumerated() {
      let function = "\(prefix)_expression\(number)_value"
      out.line(
        "static int64_t \(function)(const int64_t *s) { (void)s; return \(dim.inC(symbol: inTable)); }")
      out.line(
        "static const martlet_expression_info \(prefix)_expression\(number) = {sizeof(martlet_expression_info), 0, "
          + "\(CSyntax.quoted(dim.description)), \(function)};")
      expressionNames.append("&\(prefix)_expression\(number)")
    }
    func list(_ type: String, _ suffix: String, _ names: [String]) -> String {
      guard !names.isEmpty else { return "NULL" }
      out.line("static const \(type) *const \(prefix)_\(suffix)[] = {\(names.joined(separator: ", "))};")
      return "\(prefix)_\(suffix)"
    }
    let inputList = list("martlet_tensor_info", "inputs", inputs)
    let outputList = list("martlet_tensor_info", "outputs", outputs)
    let symbolList = list("martlet_symbol_info", "symbols", symbolNames)
    let expressionList = list("martlet_expression_info", "expressions", expressionNames)
    out.line("static int64_t \(prefix)_workspace_size(const int64_t *symbols);")
    out.line(
      "static martlet_status \(prefix)_bind(martlet_context *context, const martlet_tensor *inputs, int64_t *symbols);")
    out.line(
      "static martlet_status \(prefix)_run(martlet_context *context, const martlet_tensor *inputs, "
        + "martlet_tensor *outputs, void *workspace, int64_t workspace_size, int64_t *needed);")
    out.line("static const martlet_entry \(prefix) = {")
    out.line(
      "sizeof(martlet_entry), \(inputs.count), \(outputs.count), \(symbolNames.count), \(expressionNames.count), 0, "
        + "\(CSyntax.quoted(entry.name)),")
    out.line("\(inputList), \(outputList), \(symbolList), \(expressionList),")
    out.line("\(prefix)_workspace_size, \(prefix)_bind, \(prefix)_run")
    out.line("};")
  }

  private mutating func emitPorts(_ ports: [Port], _ kind: String, _ out: inout CodeWriter) -> [String] {
    var names: [String] = []
    for (number, port) in ports.enumerated() {
      let name = "\(prefix)_\(kind)\(number)"
      emitPort(port.value, name, port, &out)
      names.append("&\(name)")
    }
    return names
  }

  /// The descriptor of a port or, in front of it, of what a list there holds.
  private mutating func emitPort(_ value: ValueType, _ name: String, _ port: Port, _ out: inout CodeWriter) {
    var kind = "MARTLET_TENSOR"
    var member = "NULL"
    if let inner = value.member {
      emitPort(inner, "\(name)_member", port, &out)
      if case .sequence = value { kind = "MARTLET_SEQUENCE" } else { kind = "MARTLET_OPTIONAL" }
      member = "&\(name)_member"
    }
    // Extents that members of a list may differ in are nobody's symbols.
    let isMember = port.value.tensor == nil
    let shape = value.tensor?.shape ?? []
    let dims = shape.map { isMember && $0.constant == nil ? "{MARTLET_DIM_UNKNOWN, 0, -1}" : describe($0) }
    if !dims.isEmpty {
      out.line("static const martlet_dim \(name)_dims[] = {\(dims.joined(separator: ", "))};")
    }
    let (type, rank) = EntrySource.innermost(value)
    out.line(
      "static const martlet_tensor_info \(name) = {sizeof(martlet_tensor_info), \(kind), "
        + "\(CSyntax.quoted(port.name)), MARTLET_\(CSyntax.typeName(type)), \(rank), "
        + "\(dims.isEmpty ? "NULL" : "\(name)_dims"), "
        + "\(port.accepts?.lowerBound ?? 0), \(port.accepts?.upperBound ?? 0), \(member)};")
  }

  /// What tensors are inside of all lists; the rank is -1 where it is open.
  private static func innermost(_ value: ValueType) -> (type: ElementType, rank: Int) {
    switch value {
    case .tensor(let type): (type.element.storage ?? .u8, type.rank)
    case .anyTensor(let element): (element, -1)
    case .sequence(let member), .optional(let member): innermost(member)
    }
  }

  private mutating func describe(_ dim: Dim) -> String {
    if let constant = dim.constant { return "{MARTLET_DIM_CONSTANT, 0, \(constant)}" }
    guard dim.symbols.isSubset(of: entrySymbols) else { return "{MARTLET_DIM_UNKNOWN, 0, -1}" }
    if let symbol = dim.symbolName, let number = entry.symbols.firstIndex(where: { $0.name == symbol }) {
      return "{MARTLET_DIM_SYMBOL, 0, \(number)}"
    }
    let number = expressions.firstIndex(of: dim) ?? expressions.count
    if number == expressions.count { expressions.append(dim) }
    return "{MARTLET_DIM_EXPRESSION, 0, \(number)}"
  }

  // MARK: Dims

  private func inTable(_ symbol: String) -> String {
    entry.symbols.firstIndex { $0.name == symbol }.map { "s[\($0)]" } ?? "0"
  }

  private func inProgram(_ symbol: String) -> String { variables[symbol] ?? "0" }

  private func slotSize(_ slot: MemoryPlan.Slot, symbol: (String) -> String) -> String {
    var text = slot.sizes[0].sizeInC(symbol: symbol)
    for other in slot.sizes.dropFirst() { text = "martlet_max(\(text), \(other.sizeInC(symbol: symbol)))" }
    return "martlet_align(\(text))"
  }

  /// Whether the slot's size is known before anything runs.
  private func isEarly(_ slot: MemoryPlan.Slot) -> Bool {
    slot.sizes.allSatisfy { $0.symbols.isSubset(of: entrySymbols) }
  }

  // MARK: Functions around the program

  private func emitPlanned(_ out: inout CodeWriter) {
    out.line("static int64_t \(prefix)_planned(const int64_t *s) {")
    out.line("int64_t bytes = \(entry.plan.fixedBytes);")
    for slot in entry.plan.slots where isEarly(slot) {
      out.line("bytes = martlet_size_add(bytes, \(slotSize(slot, symbol: inTable)));")
    }
    out.line("(void)s;")
    out.line("return bytes;")
    out.line("}")
    out.line("static int64_t \(prefix)_workspace_size(const int64_t *s) {")
    out.line("return martlet_workspace_for(&\(prefix), \(prefix)_planned(s), s);")
    out.line("}")
  }

  /// Symbols that are nowhere an extent by themselves are solved for from a dim that is linear in them.
  private func emitBind(_ out: inout CodeWriter) {
    out.line(
      "static martlet_status \(prefix)_bind(martlet_context *context, const martlet_tensor *inputs, int64_t *symbols) {"
    )
    let equations = SymbolEquations(entry.inputs.map(\.shape)).steps.filter { !$0.isDirect }
    if equations.isEmpty {
      out.line("return martlet_bind(context, &\(prefix), inputs, symbols);")
    } else {
      out.line("martlet_status status = martlet_bind_symbols(context, &\(prefix), inputs, symbols);")
      for step in equations {
        let symbol = entry.symbols.firstIndex { $0.name == step.symbol } ?? 0
        out.line("if (status) return status;")
        out.line(
          "status = martlet_solve(context, &\(prefix), inputs, \(step.input), \(step.axis), "
            + "\(step.factor.inC(symbol: inSymbols)), \(step.rest.inC(symbol: inSymbols)), \(symbol), symbols);")
      }
      out.line("return status ? status : martlet_check_symbols(context, &\(prefix), inputs, symbols);")
    }
    out.line("}")
  }

  private func inSymbols(_ symbol: String) -> String {
    entry.symbols.firstIndex { $0.name == symbol }.map { "symbols[\($0)]" } ?? "0"
  }

  private func emitRun(_ out: inout CodeWriter) {
    out.line(
      "static martlet_status \(prefix)_run(martlet_context *context, const martlet_tensor *inputs, "
        + "martlet_tensor *outputs, void *workspace, int64_t workspace_size, int64_t *needed) {")
    out.line("martlet_frame frame;")
    out.line("int64_t symbols[\(max(1, entry.symbols.count))];")
    out.line("void *in[\(max(1, entry.inputs.count))], *out[\(max(1, entry.outputs.count))];")
    out.line(
      "martlet_status status = martlet_begin(&frame, context, &\(prefix), inputs, outputs, symbols, workspace, "
        + "workspace_size, needed);")
    out.line("if (status) return status;")
    if counts != nil { out.line("const uint64_t start = martlet_ticks();") }
    out.line("status = martlet_place(&frame, \(prefix)_planned(symbols), in, out);")
    out.line("if (!status) status = \(prefix)_program(&frame, symbols, in, out);")
    if let counts { out.line("if (!status) martlet_count(context, \(counts.entry), start, 0, 0);") }
    out.line("return martlet_end(&frame, status);")
    out.line("}")
  }

  // MARK: The program

  private mutating func emitProgram(_ out: inout CodeWriter) {
    out.line(
      "static martlet_status \(prefix)_program(martlet_frame *f, const int64_t *s, void *const *in, void *const *out) {"
    )
    out.line("martlet_context *const c = f->context;")
    out.line("martlet_status status = MARTLET_OK;")
    for (number, symbol) in symbolOrder.enumerated() {
      let value = number < entry.symbols.count ? "s[\(number)]" : "0"
      out.line("int64_t v\(number) = \(value); /* \(CSyntax.comment(symbol)) */")
    }
    bound = entrySymbols
    if !entry.plan.slots.isEmpty {
      out.line("unsigned char *slot[\(entry.plan.slots.count)];")
      out.line("int64_t offset = \(entry.plan.fixedBytes);")
      for (number, slot) in entry.plan.slots.enumerated() where isEarly(slot) {
        out.line("slot[\(number)] = f->base + offset;")
        out.line("offset += \(slotSize(slot, symbol: inProgram));")
      }
      out.line("(void)offset;")
    }
    if !lists.isEmpty {
      out.line("unsigned char *list[\(lists.count)];")
      out.line("int64_t room[\(lists.count)];")
    }
    emit(entry.body, &out)
    for number in symbolOrder.indices { out.line("(void)v\(number);") }
    out.line("(void)c, (void)s, (void)in, (void)out;")
    out.line("return status;")
    out.line("}")
  }

  private func pointer(_ buffer: BufferID) -> String {
    switch entry.buffers[buffer.number].place {
    case .input(let number): return "in[\(number)]"
    case .output(let number): return "out[\(number)]"
    case .weight(let offset): return "(void *)(c->weights + \(offset))"
    case .state(let offset): return "(void *)(c->state + \(offset))"
    case .alias(let target, let part):
      return part.offset == 0 ? pointer(target) : "(void *)((unsigned char *)\(pointer(target)) + \(part.offset))"
    case .growing: return "(void *)list[\(lists.firstIndex(of: buffer) ?? 0)]"
    case .workspace:
      if let slot = slotOf[buffer] { return "(void *)slot[\(slot)]" }
      // A buffer nobody touches has no place.
      return "(void *)(f->base + \(entry.plan.offsets[buffer] ?? 0))"
    }
  }

  private mutating func emit(_ steps: [Step], _ out: inout CodeWriter) {
    for step in steps { emit(step, &out) }
  }

  private mutating func emit(_ step: Step, _ out: inout CodeWriter) {
    guard let number = counts?.steps, let measured = ProfiledStep(step, entry: 0, of: entry) else {
      return emitUnmeasured(step, &out)
    }
    counts?.steps += 1
    let work = measured.multiplyAdds.sizeInC(symbol: inProgram)
    let bytes = measured.bytes.sizeInC(symbol: inProgram)
    out.line("{")
    out.line("const uint64_t start = martlet_ticks();")
    emitUnmeasured(step, &out)
    out.line("martlet_count(c, \(number), start, \(work), \(bytes));")
    out.line("}")
  }

  private mutating func emitUnmeasured(_ step: Step, _ out: inout CodeWriter) {
    switch step {
    case .dispatch(let dispatch):
      let buffers = dispatch.buffers.map { pointer($0.buffer) }
      let scalars = dispatch.scalars.map { $0.inC(symbol: inProgram) }
      out.line("{")
      out.line("void *const buffers[] = {\(buffers.isEmpty ? "NULL" : buffers.joined(separator: ", "))};")
      out.line("const int64_t scalars[] = {\(scalars.isEmpty ? "0" : scalars.joined(separator: ", "))};")
      let parts = dispatch.parallelism.inC(symbol: inProgram)
      out.line(
        "status = martlet_dispatch(c, \(dispatch.kernel), buffers, scalars, \(parts), \(CSyntax.quoted(dispatch.site)));"
      )
      out.line("if (status) return status;")
      out.line("}")
    case .call(let call):
      let buffers = call.buffers.map { pointer($0.buffer) }
      let scalars = call.scalars.map { $0.inC(symbol: inProgram) }
      out.line("{")
      out.line("void *const buffers[] = {\(buffers.isEmpty ? "NULL" : buffers.joined(separator: ", "))};")
      out.line("const int64_t scalars[] = {\(scalars.isEmpty ? "0" : scalars.joined(separator: ", "))};")
      out.line(
        "status = martlet_\(call.function.rawValue)(f, buffers, scalars, \(CSyntax.quoted(call.site)));")
      out.line("if (status) return status;")
      out.line("}")
    case .bindSymbol(let name, let buffer, let range, let site):
      let variable = inProgram(name)
      out.line("\(variable) = *(const int64_t *)\(pointer(buffer));")
      if range != Int.min...Int.max {
        let test = "\(variable) >= \(range.lowerBound) && \(variable) <= \(range.upperBound)"
        let message = "\(name) is outside of \(range.lowerBound)...\(range.upperBound)"
        out.line(
          "status = martlet_guard(c, \(test), MARTLET_LIMIT_EXCEEDED, \(CSyntax.quoted(site)), \(CSyntax.quoted(message)));"
        )
        out.line("if (status) return status;")
      }
      emitLateSlots(after: name, &out)
    case .setSymbol(let name, let value):
      out.line("\(inProgram(name)) = \(value.inC(symbol: inProgram));")
      emitLateSlots(after: name, &out)
    case .require(let a, let b, let site):
      let message = "\(a) is not \(b)"
      out.line(
        "status = martlet_guard(c, \(a.inC(symbol: inProgram)) == \(b.inC(symbol: inProgram)), "
          + "MARTLET_SHAPE_MISMATCH, \(CSyntax.quoted(site)), \(CSyntax.quoted(message)));")
      out.line("if (status) return status;")
    case .copy(let from, let to, let bytes):
      let (source, target) = (pointer(from), pointer(to))
      guard source != target else { return }
      out.line("__builtin_memcpy(\(target), \(source), (size_t)(\(bytes.inC(symbol: inProgram))));")
    case .fill(let buffer, let bytes):
      out.line("__builtin_memset(\(pointer(buffer)), 0, (size_t)(\(bytes.inC(symbol: inProgram))));")
    case .deliver(let output, let from, _) where entry.outputs[output].value.tensor == nil:
      out.line("martlet_deliver_list(f, \(output), \(pointer(from)), &status);")
      out.line("if (status) return status;")
    case .deliver(let output, let from, let dims):
      let values = dims.map { $0.inC(symbol: inProgram) }
      out.line("{")
      out.line("const int64_t dims[] = {\(values.isEmpty ? "0" : values.joined(separator: ", "))};")
      out.line("status = martlet_deliver(f, \(output), dims, \(pointer(from)));")
      out.line("if (status) return status;")
      out.line("}")
    case .storeIndex(let value, let buffer, let offset):
      out.line(
        "*(int64_t *)((unsigned char *)\(pointer(buffer)) + \(offset)) = \(value.inC(symbol: inProgram));")
    case .storeByte(let value, let buffer): out.line("*(unsigned char *)\(pointer(buffer)) = \(value);")
    case .ifElse(let condition, let then, let otherwise):
      let before = bound
      out.line("if (*(const unsigned char *)\(pointer(condition))) {")
      emit(then, &out)
      let boundByThen = bound
      bound = before
      out.line("} else {")
      emit(otherwise, &out)
      bound.formIntersection(boundByThen)
      out.line("}")
    case .loop(let counter, let trip, let condition, let growing, let body):
      let before = bound
      temporaries += 1
      let limit = "limit\(temporaries)"
      let variable = inProgram(counter)
      out.line("{")
      out.line("const int64_t \(limit) = \(trip.map { "*(const int64_t *)\(pointer($0))" } ?? "INT64_MAX");")
      // What an iteration takes of the workspace beyond the plan, the next one takes again.
      out.line("const int64_t used = f->used;")
      let numbers = growing.compactMap { list in lists.firstIndex(of: list.buffer) }
      // What calls put at the end of the workspace may be carried on.
      let keeps = body.makesCalls
      for number in numbers { out.line("list[\(number)] = f->base, room[\(number)] = 0;") }
      if !keeps { out.line("\(growing.isEmpty ? "const " : "")int64_t taken = f->taken;") }
      out.line(
        "for (\(variable) = 0; \(variable) < \(limit) && *(const unsigned char *)\(pointer(condition)); ++\(variable)) {"
      )
      out.line(keeps ? "f->used = used;" : "f->used = used, f->taken = taken;")
      bound.insert(counter)
      for (number, list) in zip(numbers, growing) {
        let item = list.bytes.inC(symbol: inProgram)
        out.line(
          "list[\(number)] = martlet_lengthen(f, list[\(number)], &room[\(number)], \(variable), \(item), \(limit), &status);"
        )
        out.line("if (status) return status;")
      }
      if !growing.isEmpty, !keeps { out.line("taken = f->taken;") }
      emit(body, &out)
      out.line("}")
      out.line("}")
      bound = before
      bound.insert(counter)
    }
  }

  /// Workspace whose size became known with `symbol`.
  private mutating func emitLateSlots(after symbol: String, _ out: inout CodeWriter) {
    bound.insert(symbol)
    for (number, slot) in entry.plan.slots.enumerated() where !isEarly(slot) {
      let needed = slot.sizes.reduce(into: Set<String>()) { $0.formUnion($1.symbols) }
      guard needed.contains(symbol), needed.isSubset(of: bound) else { continue }
      out.line("slot[\(number)] = martlet_extend(f, \(slotSize(slot, symbol: inProgram)), &status);")
      out.line("if (status) return status;")
    }
  }
}

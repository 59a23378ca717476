import IR
import Support

/// Checks one entry: its declarations, then step by step what it does, then who shares memory with whom.
struct EntryVerifier {
  /// What is being looked at, for the place of an error.
  enum Part {
    case entry
    case symbol(Int)
    case input(Int)
    case output(Int)
    case slot(Int)
    case buffer(Int)
    case step(Int)

    func offset(in places: ProgramPlaces.Entry) -> Int {
      switch self {
      case .entry: places.start
      case .symbol(let number): places.symbols[number]
      case .input(let number): places.inputs[number]
      case .output(let number): places.outputs[number]
      case .slot(let number): places.slots[number]
      case .buffer(let number): places.buffers[number]
      case .step(let number): places.steps[number]
      }
    }
  }

  let entry: ProgramEntry
  let program: Program
  let kernels: [String: Kernel]
  var part = Part.entry
  /// What symbols may be, as far as something says so.
  var ranges: [String: ClosedRange<Int>] = [:]
  /// Symbols that the inputs' shapes tell.
  let inputSymbols: Set<String>
  /// Symbols with a value so far.
  var given: Set<String>
  /// The buffer whose memory each one names.
  var roots: [BufferID] = []
  /// The slot of each buffer that has one.
  var slotOf: [BufferID: Int] = [:]
  /// Lists that some loop so far makes grow.
  var growing: Set<BufferID> = []
  /// Outputs that have been handed out.
  var delivered: Set<Int> = []
  var stepCount = 0

  init(_ entry: ProgramEntry, of program: Program, _ kernels: [String: Kernel]) {
    self.entry = entry
    self.program = program
    self.kernels = kernels
    inputSymbols = entry.inputs.reduce(into: []) { names, port in
      for dim in port.shape { names.formUnion(dim.symbols) }
    }
    given = inputSymbols
  }

  mutating func verify() throws(Diagnostic) {
    try verifySymbols()
    try verifyBuffers()
    try verifyPorts()
    try verifySlots()
    stepCount = 0
    try verify(entry.body)
    try verifyNames()
    try verifySharing()
  }

  // MARK: Declarations

  private mutating func verifySymbols() throws(Diagnostic) {
    for (number, symbol) in entry.symbols.enumerated() {
      part = .symbol(number)
      guard ranges.updateValue(symbol.range, forKey: symbol.name) == nil else {
        throw fail("two symbols are called \(symbol.name)")
      }
      guard symbol.range.lowerBound > Int.min else { throw fail("\(symbol.name) has no least value") }
      guard inputSymbols.contains(symbol.name) else { throw fail("no input tells what \(symbol.name) is") }
    }
    part = .entry
    try SymbolEquations(entry.inputs.map(\.shape)).requireAll(of: entry.name)
    collectRanges(entry.body)
    for (number, port) in entry.inputs.enumerated() {
      part = .input(number)
      for dim in port.shape {
        if let name = dim.symbols.first(where: { name in !entry.symbols.contains { $0.name == name } }) {
          throw fail("there is no symbol \(name)")
        }
      }
    }
  }

  private mutating func collectRanges(_ steps: [Step]) {
    for step in steps {
      switch step {
      case .bindSymbol(let name, _, let range, _):
        let known = ranges[name] ?? range
        ranges[name] = min(known.lowerBound, range.lowerBound)...max(known.upperBound, range.upperBound)
      case .ifElse(_, let then, let otherwise):
        collectRanges(then)
        collectRanges(otherwise)
      case .loop(_, _, _, _, let body): collectRanges(body)
      default: break
      }
    }
  }

  private mutating func verifyBuffers() throws(Diagnostic) {
    for (number, slot) in entry.plan.slots.enumerated() { for tenant in slot.tenants { slotOf[tenant] = number } }
    for (number, buffer) in entry.buffers.enumerated() {
      part = .buffer(number)
      try verifySize(buffer.bytes)
      roots.append(try root(of: BufferID(number)))
      try verifyPlace(BufferID(number), buffer)
    }
  }

  private func root(of id: BufferID) throws(Diagnostic) -> BufferID {
    var root = id
    var steps = 0
    var offset = 0
    while true {
      guard entry.buffers.indices.contains(root.number) else { throw fail("there is no buffer %\(root.number)") }
      guard case .alias(let target, let part) = entry.buffers[root.number].place else { return root }
      // Sums of offsets stay far from where they overflow.
      offset += part.offset
      guard (0...ProgramVerifier.sizeLimit).contains(part.offset), offset <= ProgramVerifier.sizeLimit else {
        throw fail("%\(id.number) lies \(part.offset) bytes behind the start of %\(target.number)")
      }
      if let rows = part.rows {
        guard root == id else { throw fail("%\(id.number) is in rows of %\(root.number), which is in rows itself") }
        guard rows.width > 0, rows.width <= rows.pitch, rows.pitch <= ProgramVerifier.sizeLimit else {
          throw fail("rows of \(rows.width) bytes cannot lie \(rows.pitch) apart")
        }
      }
      root = target
      steps += 1
      guard steps <= entry.buffers.count else { throw fail("%\(id.number) is another name of itself") }
    }
  }

  private func verifyPlace(_ id: BufferID, _ buffer: Buffer) throws(Diagnostic) {
    switch buffer.place {
    case .input(let number):
      guard entry.inputs.indices.contains(number) else { throw fail("there is no input \(number)") }
      try expect(buffer, "input \(number)", entry.inputs[number].memory)
    case .output(let number):
      guard entry.outputs.indices.contains(number) else { throw fail("there is no output \(number)") }
      try expect(buffer, "output \(number)", entry.outputs[number].memory)
    case .weight(let offset):
      guard program.weights.contains(where: { $0.offset == offset && buffer.bytes == Dim($0.bytes) }) else {
        throw fail("there is no weight of \(buffer.bytes) bytes at \(offset)")
      }
    case .state(let offset):
      guard program.states.contains(where: { $0.offset == offset && buffer.bytes == Dim($0.bytes) }) else {
        throw fail("there is no state of \(buffer.bytes) bytes at \(offset)")
      }
    case .alias(let target, let part):
      let available = entry.buffers[target.number].bytes
      if (buffer.bytes + part.offset).isSurelyMore(than: available) {
        let end = part.offset == 0 ? "has \(buffer.bytes)" : "ends at \(buffer.bytes + part.offset)"
        throw fail("%\(id.number) \(end) bytes, but %\(target.number) has \(available)")
      }
      if let rows = part.rows, let bytes = buffer.bytes.constant, bytes != 0, (bytes - rows.width) % rows.pitch != 0 {
        throw fail("\(bytes) bytes are no rows of \(rows.width), \(rows.pitch) apart")
      }
    case .growing: break
    case .workspace:
      guard let offset = entry.plan.offsets[id] else { return }
      guard let bytes = buffer.bytes.constant else { throw fail("%\(id.number) has no constant size, but an offset") }
      guard offset >= 0, offset % ProgramVerifier.alignment == 0 else {
        throw fail("offset \(offset) is no multiple of \(ProgramVerifier.alignment)")
      }
      let (end, overflow) = offset.addingReportingOverflow(bytes)
      guard !overflow, end <= entry.plan.fixedBytes else {
        throw fail("%\(id.number) ends at \(end), beyond the workspace of \(entry.plan.fixedBytes) bytes")
      }
    }
  }

  private func expect(_ buffer: Buffer, _ port: String, _ type: TensorType) throws(Diagnostic) {
    let bytes = try type.bytesInMemory()
    guard buffer.bytes == bytes else { throw fail("\(port) has \(bytes) bytes, not \(buffer.bytes)") }
  }

  private mutating func verifyPorts() throws(Diagnostic) {
    for (number, port) in entry.inputs.enumerated() {
      part = .input(number)
      try verify(port) { $0 == .input(number) }
    }
    for (number, port) in entry.outputs.enumerated() {
      part = .output(number)
      try verify(port) { $0 == .output(number) }
    }
  }

  private func verify(_ port: Port, _ isPlace: (Buffer.Place) -> Bool) throws(Diagnostic) {
    try port.value.check()
    for dim in port.shape { try verifyDivisors(dim) }
    guard entry.buffers.indices.contains(port.buffer.number), isPlace(entry.buffers[port.buffer.number].place) else {
      throw fail("\(MIRName.quoted(port.name)) is not where %\(port.buffer.number) is")
    }
  }

  private mutating func verifySlots() throws(Diagnostic) {
    part = .entry
    let plan = entry.plan
    guard (0...ProgramVerifier.sizeLimit).contains(plan.fixedBytes), (0...plan.fixedBytes).contains(plan.lowerBound)
    else { throw fail("a workspace of \(plan.fixedBytes) bytes, at least \(plan.lowerBound)") }
    for (number, slot) in plan.slots.enumerated() {
      part = .slot(number)
      guard !slot.sizes.isEmpty else { throw fail("slot \(number) has no size") }
      for size in slot.sizes { try verifySize(size) }
      for tenant in slot.tenants {
        let bytes = entry.buffers[tenant.number].bytes
        if slot.sizes.allSatisfy({ bytes.isSurelyMore(than: $0) }) {
          part = .buffer(tenant.number)
          throw fail("%\(tenant.number) has \(bytes) bytes, more than slot \(number)")
        }
      }
    }
  }

  /// Symbols that sizes mention must get a value somewhere.
  private mutating func verifyNames() throws(Diagnostic) {
    for (number, buffer) in entry.buffers.enumerated() {
      part = .buffer(number)
      try verifyGiven(buffer.bytes)
    }
    for (number, port) in entry.outputs.enumerated() {
      part = .output(number)
      for dim in port.shape { try verifyGiven(dim) }
      guard !isView(number) || delivered.contains(number) else {
        throw fail("only the run tells the size of \(MIRName.quoted(port.name)), but nothing delivers it")
      }
    }
  }

  // MARK: Dims

  func verifyGiven(_ dim: Dim) throws(Diagnostic) {
    if let name = dim.symbols.subtracting(given).min() { throw fail("\(MIRName.symbol(name)) has no value here") }
  }

  func verifySize(_ size: Dim) throws(Diagnostic) {
    try verifyDivisors(size)
    if let constant = size.constant, !(0...ProgramVerifier.sizeLimit).contains(constant) {
      throw fail("\(constant) is no size")
    }
  }

  /// Arithmetic that went beyond 64 bits, and divisors that may be zero.
  func verifyDivisors(_ dim: Dim) throws(Diagnostic) {
    var fault: String?
    _ = dim.build { (constant: Int) -> Dim in
      if Dim(constant).hasOverflowed { fault = "a number of \(dim) is beyond 64 bits" }
      return Dim(constant)
    } symbol: { (name: String) -> Dim in
      Dim(symbol: name)
    } combine: { (operation: Dim.Operator, a: Dim, b: Dim) -> Dim in
      switch operation {
      case .add: return a + b
      case .multiply: return a * b
      case .min: return Dim.minimum(a, b)
      case .max: return Dim.maximum(a, b)
      case .floordiv, .ceildiv, .mod:
        if b.bounds(ranges).lowerBound < 1 { fault = "\(b) may be zero in \(dim)" }
        return operation == .floordiv ? a.floorDivided(by: b) : operation == .mod ? a.modulo(b) : a.ceilDivided(by: b)
      }
    }
    if let fault { throw fail(fault) }
  }

  /// Whether only the run tells how large an output is.
  func isView(_ output: Int) -> Bool {
    entry.outputs[output].isView(inputSymbols)
  }

  func fail(_ message: String) -> Diagnostic {
    var path = "entry @\(entry.name)"
    if case .step(let number) = part { path += ", step \(number)" }
    return .invalid(message, at: Location(path: path))
  }
}

extension Dim {
  /// Whether it is larger whatever the symbols are.
  func isSurelyMore(than other: Dim) -> Bool {
    let difference = self - other
    return difference.constant.map { $0 > 0 && !difference.hasOverflowed } ?? false
  }
}

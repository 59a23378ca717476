import IR
import Support

/// What each step does to buffers and symbols.
extension EntryVerifier {
  mutating func verify(_ steps: [Step]) throws(Diagnostic) {
    for step in steps {
      part = .step(stepCount)
      stepCount += 1
      try verify(step)
    }
  }

  private mutating func verify(_ step: Step) throws(Diagnostic) {
    switch step {
    case .dispatch(let dispatch): try verify(dispatch)
    case .call(let call): try verify(call)
    case .bindSymbol(let name, let buffer, let range, _):
      try read(buffer, 8)
      guard range.lowerBound > Int.min || range.upperBound == Int.max else {
        throw fail("a range without a least value")
      }
      try define(name)
    case .setSymbol(let name, let value):
      try verifyValue(value)
      try define(name)
    case .require(let left, let right, _):
      try verifyValue(left)
      try verifyValue(right)
    case .copy(let from, let to, let bytes):
      try verifyBytes(bytes)
      try read(from, bytes)
      try write(to, bytes)
    case .fill(let buffer, let bytes):
      try verifyBytes(bytes)
      try write(buffer, bytes)
    case .deliver(let output, let from, let dims): try verifyDelivery(output, from, dims)
    case .storeIndex(let value, let buffer, let offset):
      try verifyValue(value)
      guard (0...ProgramVerifier.sizeLimit).contains(offset), offset % 8 == 0 else { throw fail("offset \(offset)") }
      try write(buffer, Dim(offset + 8))
    case .storeByte(let value, let buffer):
      guard (0...255).contains(value) else { throw fail("\(value) is no byte") }
      try write(buffer, 1)
    case .ifElse(let condition, let then, let otherwise):
      try read(condition, 1)
      try verify(then)
      try verify(otherwise)
    case .loop(let counter, let trip, let condition, let lists, let body):
      if let trip { try read(trip, 8) }
      try read(condition, 1)
      try define(counter)
      for list in lists {
        try verifyBytes(list.bytes)
        guard entry.buffers.indices.contains(list.buffer.number), entry.buffers[list.buffer.number].place == .growing
        else { throw fail("%\(list.buffer.number) does not grow") }
        guard growing.insert(list.buffer).inserted else { throw fail("%\(list.buffer.number) grows in two loops") }
      }
      try verify(body)
    }
  }

  private mutating func define(_ symbol: String) throws(Diagnostic) {
    guard !inputSymbols.contains(symbol) else { throw fail("\(MIRName.symbol(symbol)) has the value the inputs tell") }
    given.insert(symbol)
  }

  private func verifyValue(_ value: Dim) throws(Diagnostic) {
    try verifyGiven(value)
    try verifyDivisors(value)
  }

  private func verifyBytes(_ bytes: Dim) throws(Diagnostic) {
    try verifyGiven(bytes)
    try verifySize(bytes)
  }

  private mutating func verifyDelivery(_ output: Int, _ from: BufferID, _ dims: [Dim]) throws(Diagnostic) {
    guard entry.outputs.indices.contains(output) else { throw fail("there is no output \(output)") }
    let port = entry.outputs[output]
    for dim in dims { try verifyValue(dim) }
    guard dims == port.shape else { throw fail("output \(output) is \(port.value)") }
    guard isView(output) else { throw fail("output \(output) is the caller's memory") }
    try read(from, try port.memory.bytesInMemory())
    guard [.workspace, .growing].contains(entry.buffers[roots[from.number].number].place) else {
      throw fail("%\(from.number) is not in the workspace")
    }
    delivered.insert(output)
  }

  // MARK: Buffers

  /// Only kernels know rows from what lies between them.
  func read(_ buffer: BufferID, _ bytes: Dim, byKernel: Bool = false) throws(Diagnostic) {
    guard entry.buffers.indices.contains(buffer.number) else { throw fail("there is no buffer %\(buffer.number)") }
    if !byKernel, case .alias(_, let part) = entry.buffers[buffer.number].place, part.rows != nil {
      throw fail("%\(buffer.number) lies in rows, which only kernels read and write")
    }
    let root = roots[buffer.number]
    switch entry.buffers[root.number].place {
    case .workspace where entry.plan.offsets[root] == nil && slotOf[root] == nil:
      throw fail("%\(buffer.number) has no place")
    case .growing where !growing.contains(root): throw fail("%\(buffer.number) has not begun to grow")
    case .output(let number) where isView(number): throw fail("%\(buffer.number) is an output that is only delivered")
    default: break
    }
    let available = entry.buffers[buffer.number].bytes
    if bytes.isSurelyMore(than: available) {
      throw fail("%\(buffer.number) has \(available) bytes, not \(bytes)")
    }
  }

  func write(_ buffer: BufferID, _ bytes: Dim, byKernel: Bool = false) throws(Diagnostic) {
    try read(buffer, bytes, byKernel: byKernel)
    switch entry.buffers[roots[buffer.number].number].place {
    case .input, .weight: throw fail("%\(buffer.number) is only read")
    default: break
    }
  }

  // MARK: Dispatches

  private func verify(_ dispatch: Dispatch) throws(Diagnostic) {
    guard let kernel = kernels[dispatch.kernel] else { throw fail("there is no kernel @\(dispatch.kernel)") }
    guard dispatch.buffers.count == kernel.buffers.count, dispatch.scalars.count == kernel.scalars.count else {
      throw fail(
        "@\(kernel.name) takes \(kernel.buffers.count) buffers and \(kernel.scalars.count) sizes, "
          + "not \(dispatch.buffers.count) and \(dispatch.scalars.count)")
    }
    for dim in dispatch.scalars + [dispatch.parallelism] { try verifyValue(dim) }
    try verifyDivisors(dispatch.work)
    for (use, parameter) in zip(dispatch.buffers, kernel.buffers) { try verify(use, parameter) }
    try verifyApart(dispatch)
  }

  private func verify(_ use: BufferUse, _ parameter: BufferParameter) throws(Diagnostic) {
    guard use.access == parameter.access else {
      throw fail("\(parameter.name) is \(parameter.access.rawValue), not \(use.access.rawValue)")
    }
    let needed = Dim(parameter.elements ?? 0) * parameter.scalar.bytes
    if use.access == .read {
      try read(use.buffer, needed, byKernel: true)
    } else {
      try write(use.buffer, needed, byKernel: true)
    }
    let alignment = alignment(of: use.buffer)
    guard parameter.alignment <= alignment else {
      throw fail("%\(use.buffer.number) is aligned to \(alignment), \(parameter.name) to \(parameter.alignment)")
    }
  }

  /// Callers promise no more of their memory than its elements need.
  private func alignment(of buffer: BufferID) -> Int {
    let offset = entry.buffers.part(of: buffer).offset
    let whole = alignment(ofRoot: roots[buffer.number])
    return offset == 0 ? whole : min(whole, 1 << offset.trailingZeroBitCount)
  }

  private func alignment(ofRoot root: BufferID) -> Int {
    func needed(_ port: Port) -> Int { max(1, (port.memory.element.storage?.bits ?? 8) / 8) }
    return switch entry.buffers[root.number].place {
    case .input(let number): needed(entry.inputs[number])
    case .output(let number): needed(entry.outputs[number])
    default: ProgramVerifier.alignment
    }
  }

  /// What a kernel writes is nothing else that it uses.
  private func verifyApart(_ dispatch: Dispatch) throws(Diagnostic) {
    for (number, use) in dispatch.buffers.enumerated() where use.access != .read {
      for (other, reader) in dispatch.buffers.enumerated() where other != number {
        guard isSame(use.buffer, reader.buffer), entry.buffers[use.buffer.number].bytes != 0,
          entry.buffers[reader.buffer.number].bytes != 0
        else { continue }
        throw fail("%\(use.buffer.number) and %\(reader.buffer.number) are one memory, and one is written")
      }
    }
  }

  func isSame(_ a: BufferID, _ b: BufferID) -> Bool {
    let (x, y) = (roots[a.number], roots[b.number])
    if x == y { return !entry.buffers.areApart(a, b) }
    let place = entry.buffers[x.number].place
    // Several buffers may have each of these places, without being one.
    return ![.workspace, .growing].contains(place) && place == entry.buffers[y.number].place
  }
}

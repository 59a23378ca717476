import IR
import Support

extension SequenceMake: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerList(op, program.function[op].operands.compactMap { $0 })
  }
}

extension OptionalMake: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerList(op, program.function[op].operands.compactMap { $0 })
  }
}

extension Widen: OpLowering {
  /// Another name of the same record.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let value = operation.operands[0] else { throw .bug("widen of nothing") }
    program.bind(operation.results[0], to: try program.buffer(of: value))
  }
}

extension SequenceLength: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerListLength(op, asByte: false)
  }
}

extension OptionalHas: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) { try program.lowerListLength(op, asByte: true) }
}

extension SequenceAt: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) { try program.lowerMember(op) }
}

extension OptionalGet: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) { try program.lowerMember(op) }
}

extension SequenceInsert: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let list = operation.operands[0], let member = operation.operands[1] else { throw .bug("insert of nothing") }
    var uses = [BufferUse(try program.buffer(of: list), .read), BufferUse(try program.buffer(of: member), .read)]
    let index = try program.index(2, of: op)
    if let index { uses.append(index) }
    uses.append(BufferUse(try program.allocate(for: operation.results[0]), .write))
    let description = try program.memberScalars(member)
    program.call(.listInsert, uses, [index == nil ? 0 : 1] + description, at: program.site(op))
  }
}

extension SequenceErase: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let list = operation.operands[0] else { throw .bug("erase of nothing") }
    var uses = [BufferUse(try program.buffer(of: list), .read)]
    let index = try program.index(1, of: op)
    if let index { uses.append(index) }
    uses.append(BufferUse(try program.allocate(for: operation.results[0]), .write))
    program.call(.listErase, uses, [index == nil ? 0 : 1], at: program.site(op))
  }
}

extension SequenceJoin: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let list = operation.operands[0] else { throw .bug("join of nothing") }
    let given = BufferUse(try program.buffer(of: list), .read)
    let scalars = [Dim(axis), stack ? 1 : 0, Dim(shape.count)]
    let result = operation.results[0]
    try program.requireWholeBytes(try program.tensorType(result))
    try program.bindExtents(of: result, at: program.site(op)) { extents in
      program.call(.listJoinedExtents, [given, extents], scalars, at: program.site(op))
    }
    let target = BufferUse(try program.allocate(for: result), .write)
    program.call(.listJoin, [given, target], scalars, at: program.site(op))
  }
}

extension SequenceSplit: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("split of nothing") }
    try program.requireWholeBytes(try program.tensorType(x))
    var uses = [BufferUse(try program.buffer(of: x), .read)]
    var (count, repeats) = (Dim(-1), Dim(0))
    if let sizes = operation.operands.count > 1 ? operation.operands[1] : nil {
      uses.append(BufferUse(try program.buffer(of: sizes), .read))
      let type = try program.tensorType(sizes)
      (count, repeats) = (type.elementCount, type.rank == 0 ? 1 : 0)
    }
    uses.append(BufferUse(try program.allocate(for: operation.results[0]), .write))
    let scalars = [count, repeats, keep ? 1 : 0, Dim(axis)] + (try program.memberScalars(x))
    program.call(.listSplit, uses, scalars, at: program.site(op))
  }
}

extension ProgramBuilder {
  /// The type that descriptors have, the rank and the extents of a member; lists have no type and no extents.
  fileprivate func memberScalars(_ value: ValueID) throws(Diagnostic) -> [Dim] {
    guard function.type(value).member == nil else { return [0, 0] }
    let type = try tensorType(value)
    guard let element = type.element.storage, type.layout == nil, type.rank <= 16 else {
      throw .unsupported("\(type) cannot be a member of a sequence")
    }
    return [Dim(element.interfaceNumber), Dim(type.rank)] + type.shape
  }

  fileprivate func requireWholeBytes(_ type: TensorType) throws(Diagnostic) {
    guard type.element.storage.map({ $0.bits >= 8 }) ?? false else {
      throw .unsupported("elements of \(type) cannot be taken apart in a sequence")
    }
  }

  fileprivate func index(_ number: Int, of op: OpID) throws(Diagnostic) -> BufferUse? {
    let operands = function[op].operands
    guard number < operands.count, let index = operands[number] else { return nil }
    guard try tensorType(index).plain == .i64 else { throw .unsupported("an index that is no i64 has no code") }
    return BufferUse(try buffer(of: index), .read)
  }

  fileprivate func lowerList(_ op: OpID, _ members: [ValueID]) throws(Diagnostic) {
    var uses: [BufferUse] = []
    var scalars = [Dim(members.count)]
    for (number, member) in members.enumerated() {
      uses.append(BufferUse(try buffer(of: member), .read))
      scalars += try memberScalars(member).dropFirst(number == 0 ? 0 : 1)
    }
    if members.isEmpty { scalars.append(0) }
    uses.append(BufferUse(try allocate(for: function[op].results[0]), .write))
    call(.listMake, uses, scalars, at: site(op))
  }

  fileprivate func lowerListLength(_ op: OpID, asByte: Bool) throws(Diagnostic) {
    guard let list = function[op].operands[0] else { throw .bug("the length of nothing") }
    let uses = [BufferUse(try buffer(of: list), .read), BufferUse(try allocate(for: function[op].results[0]), .write)]
    call(.listLength, uses, [asByte ? 1 : 0], at: site(op))
  }

  /// What a list holds at an index, or an optional value.
  fileprivate func lowerMember(_ op: OpID) throws(Diagnostic) {
    let operation = function[op]
    guard let list = operation.operands[0] else { throw .bug("a member of nothing") }
    let result = operation.results[0]
    var given = [BufferUse(try buffer(of: list), .read)]
    let index = try index(1, of: op)
    if let index { given.append(index) }
    let has: Dim = index == nil ? 0 : 1
    guard let type = function.tensorType(result) else {
      let target = BufferUse(try allocate(for: result), .write)
      return call(.listTake, given + [target], [has], at: site(op))
    }
    try bindExtents(of: result, at: site(op)) { extents in
      call(.listExtents, given + [extents], [has, Dim(type.rank)], at: site(op))
    }
    let target = BufferUse(try allocate(for: result), .write)
    call(.listRead, given + [target], [has], at: site(op))
  }

  /// Takes extents that `write` leaves in a buffer for those of a result: symbols without a value get theirs, others
  /// must agree.
  fileprivate func bindExtents(
    of result: ValueID, at site: String, _ write: (BufferUse) -> Void
  ) throws(Diagnostic) {
    let shape = try tensorType(result).shape
    let extents = addBuffer("extents of \(label(result))", bytes: Dim(8 * max(1, shape.count)), .workspace)
    write(BufferUse(extents, .write))
    for (axis, dim) in shape.enumerated() {
      let extent = addBuffer("extent", bytes: 8, .alias(extents, BufferPart(offset: 8 * axis)))
      if let name = dim.symbolName, !isBound(name) {
        append(.bindSymbol(name: name, buffer: extent, range: ranges[name] ?? 0...(1 << 40), site: site))
        markBound(name)
      } else {
        let name = freshSymbol("extent")
        append(.bindSymbol(name: name, buffer: extent, range: Int.min...Int.max, site: site))
        append(.require(Dim(symbol: name), equals: dim, site: site))
      }
    }
  }
}

extension ElementType {
  /// The number that `martlet.h` has for the type, which counts in the order of the cases here.
  var interfaceNumber: Int { (ElementType.allCases.firstIndex(of: self) ?? -1) + 1 }
}

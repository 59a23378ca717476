import IR
import Support

extension Reshape: OpLowering {
  /// Another name for the same bytes.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("reshape without an operand") }
    let result = operation.results[0]
    let type = try program.tensorType(result)
    if let view = program.stridedView(of: x),
      let strides = reshapedStrides(view.strides, from: try program.tensorType(x).shape, to: type.shape)
    {
      return program.bind(result, to: TensorView(view.buffer, view.element, strides: strides))
    }
    let bytes = try program.bytes(of: type)
    program.bind(
      result, to: program.addBuffer(program.label(result), bytes: bytes, .alias(try program.buffer(of: x))))
  }
}

extension Transpose: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    if try viewed(op, program) { return }
    try program.lowerMove(op) { source throws(Diagnostic) in
      source.strides = permutation.map { source.strides[$0] }
    }
  }
  func reading(_ number: Int) -> OperandReading { .strides }
  var writesRows: Bool { true }

  /// Makes the result another view of the operand where no element moves, or where whoever reads it can do with other
  /// strides; false where it must be copied.
  private func viewed(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) -> Bool {
    let operation = program.function[op]
    let result = operation.results[0]
    let type = try program.tensorType(result)
    guard let x = operation.operands[0], program.storage.parts[result] == nil, type.layout == nil,
      type.element.storage.map({ $0.bits >= 8 }) ?? false, !type.shape.contains(0)
    else { return false }
    let view = try program.view(of: x)
    let strides = permutation.map { view.strides[$0] }
    if StoragePlan.Lie(type.shape, strides) == .dense {
      let bytes = try program.bytes(of: type)
      program.bind(
        result, to: program.addBuffer(program.label(result), bytes: bytes, .alias(try program.buffer(of: x))))
      return true
    }
    // Neighbours must stay neighbours: vectors are loaded, not gathered.
    guard operation.block == program.function.body, strides.last == 1,
      program.storage.refusal(of: result, type.shape, strides) == nil
    else { return false }
    program.note("transpose (\(program.site(op))) is read in place")
    program.bind(result, to: TensorView(view.buffer, view.element, strides: strides))
    return true
  }
}

extension Broadcast: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let shape = try program.tensorType(program.function[op].results[0]).shape
    let from = try program.operandType(0, of: op).shape
    try program.lowerMove(op) { source throws(Diagnostic) in source = source.broadcast(from: from, to: shape) }
  }
  func reading(_ number: Int) -> OperandReading { .strides }
  var writesRows: Bool { true }
}

extension Slice: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let extents = try program.operandType(0, of: op).shape
    for axis in extents.indices { program.requireInside(axis, extents[axis], self, site: program.site(op)) }
    if try viewed(op, extents, program) { return }
    try program.lowerMove(op) { source throws(Diagnostic) in
      for axis in extents.indices {
        source.offset = source.offset + starts[axis] * source.strides[axis]
        // An axis of one element takes no step, however large.
        source.strides[axis] = sizes[axis] == 1 ? 0 : source.strides[axis] * steps[axis]
      }
    }
  }
  func reading(_ number: Int) -> OperandReading { .strides }
  var writesRows: Bool { true }

  /// Makes the result a part of the operand's memory where whoever reads it can read it there; false where it must be
  /// copied.
  private func viewed(_ op: OpID, _ extents: [Dim], _ program: ProgramBuilder) throws(Diagnostic) -> Bool {
    let operation = program.function[op]
    let result = operation.results[0]
    let type = try program.tensorType(result)
    // What a loop hands on to its next iteration must not be another name of what it carries.
    guard let x = operation.operands[0], operation.block == program.function.body,
      program.storage.parts[result] == nil, type.layout == nil, type.element.storage.map({ $0.bits >= 8 }) ?? false,
      !type.shape.contains(0), extents.indices.allSatisfy({ steps[$0] == 1 || sizes[$0] == 1 })
    else { return false }
    let view = try program.view(of: x)
    var offset = 0
    for axis in extents.indices {
      guard let start = (starts[axis] * view.strides[axis]).constant else { return false }
      offset += start
    }
    guard let lie = StoragePlan.Lie(sizes, view.strides) else { return false }
    if lie == .dense {
      guard type.constantBytes != nil else { return false }
    } else if let reason = program.storage.refusal(of: result, sizes, view.strides) {
      program.note("slice (\(program.site(op))) copies: \(reason)")
      return false
    }
    program.note("slice (\(program.site(op))) is read in place")
    try program.place(result, view, offset: offset, strides: view.strides, label: program.label(result))
    return true
  }
}

extension Concat: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    let result = try program.tensorType(operation.results[0])
    let axis = axis < 0 ? axis + result.rank : axis
    try program.withMoveTarget(of: operation.results[0], inRows: true, site: program.site(op)) {
      target throws(Diagnostic) in
      var start: Dim = 0
      var copied: [String] = []
      for (number, part) in operation.operands.enumerated() {
        guard let part else { throw .bug("concat without an operand") }
        var place = target
        place.offset = start * target.strides[axis]
        start = start + (try program.tensorType(part).shape[axis])
        if try program.isInPlace(part, place) { continue }
        let reason = program.storage.refusals[op]?[number] ?? "what computes it writes elsewhere"
        copied.append("\(program.label(part)), since \(reason)")
        var source = try program.moveSource(part)
        var shape = result.shape
        shape[axis] = try program.tensorType(part).shape[axis]
        if let piece = try program.piece(of: place, shape, label: program.label(part)) {
          place = piece
        } else if program.root(of: source.buffer) == program.root(of: place.buffer) {
          // A kernel may not read what it seems to write.
          source = TensorView(
            try program.gathered(part, source), source.element, strides: rowMajorStrides(shape))
        }
        try program.emitCopy(shape, from: source, to: place, site: program.site(op))
      }
      let copies = copied.isEmpty ? "" : "; copied: " + copied.joined(separator: ", ")
      let inPlace = operation.operands.count - copied.count
      program.note(
        "concat (\(program.site(op))): \(inPlace) of \(operation.operands.count) written in place\(copies)")
    }
  }
  func reading(_ number: Int) -> OperandReading { .strides }
  var writesRows: Bool { true }
}

extension ProgramBuilder {
  func operandType(_ number: Int, of op: OpID) throws(Diagnostic) -> TensorType {
    let operation = function[op]
    guard number < operation.operands.count, let value = operation.operands[number] else {
      throw .bug("\(operation.kind.mnemonic) lacks an operand")
    }
    return try tensorType(value)
  }

  /// A result that is its operand under another view.
  func lowerMove(
    _ op: OpID, _ view: (inout TensorView) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let operation = function[op]
    guard let x = operation.operands[0] else { throw .bug("\(operation.kind.mnemonic) without an operand") }
    var source = try moveSource(x)
    try view(&source)
    let viewed = source
    let shape = try tensorType(operation.results[0]).shape
    try withMoveTarget(of: operation.results[0], inRows: true, site: site(op)) { target throws(Diagnostic) in
      try emitCopy(shape, from: viewed, to: target, site: site(op))
    }
  }

  /// A tensor whose elements are moved as bits, whatever they mean.
  func moveSource(_ value: ValueID) throws(Diagnostic) -> TensorView {
    let view = try view(of: value)
    return TensorView(view.buffer, try view.element.bitPattern(), strides: view.strides)
  }

  /// Allocates a result and hands it to `body` as bits: densely, or `inRows` where it is part of a concat. Elements of
  /// less than a byte are written a byte each, to be packed afterwards.
  func withMoveTarget(
    of result: ValueID, inRows: Bool = false, site: String, _ body: (TensorView) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let type = try tensorType(result)
    let element = try type.elementForCode().bitPattern()
    if inRows, element.bits >= 8 {
      let target = try target(for: result)
      return try body(TensorView(target.buffer, element, strides: target.strides))
    }
    let strides = rowMajorStrides(type.shape)
    let target = try allocate(for: result)
    guard element.bits < 8 else { return try body(TensorView(target, element, strides: strides)) }
    let loose = addBuffer("elements of \(label(result))", bytes: type.elementCount, .workspace)
    try body(TensorView(loose, .u8, strides: strides))
    try emitCopy(
      [type.elementCount], from: TensorView(loose, .u8, strides: [1]), to: TensorView(target, element, strides: [1]),
      site: site)
  }

  /// Run-time checks of what typing could not prove of a slice.
  fileprivate func requireInside(_ axis: Int, _ extent: Dim, _ slice: Slice, site: String) {
    let (start, size, step) = (slice.starts[axis], slice.sizes[axis], slice.steps[axis])
    let last = start + (size - 1) * step
    // Nothing is read where the size is zero.
    let something = size.bounds(ranges).lowerBound > 0 ? Dim(1) : Dim.minimum(size, 1)
    requireNonNegative(something, times: step > 0 ? start : last, site: site)
    requireNonNegative(something, times: extent - 1 - (step > 0 ? last : start), site: site)
  }

  /// Fails at run time where `factor * dim` is negative, unless it never is.
  func requireNonNegative(_ factor: Dim = 1, times dim: Dim, site: String) {
    guard dim.bounds(ranges).lowerBound < 0 else { return }
    let missing = factor * Dim.minimum(dim, 0)
    if isNew(check: missing) { append(.require(missing, equals: 0, site: site)) }
  }

  func requireNonNegative(_ dim: Dim, site: String) { requireNonNegative(1, times: dim, site: site) }
}

extension ElementType {
  /// The unsigned integers that hold the bits of an element.
  func bitPattern() throws(Diagnostic) -> ElementType {
    switch bits {
    case 2: return .u2
    case 4: return .u4
    case 8: return .u8
    case 16: return .u16
    case 32: return .u32
    case 64: return .u64
    default: throw .unsupported("\(rawValue) tensors have no code yet")
    }
  }
}

import IR
import Support

extension Reshape: OpLowering {
  /// Another name for the same bytes.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("reshape without an operand") }
    let result = operation.results[0]
    let bytes = try program.bytes(of: try program.tensorType(result))
    program.bind(
      result, to: program.addBuffer(program.label(result), bytes: bytes, .alias(try program.buffer(of: x))))
  }
}

extension Transpose: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerMove(op) { source throws(Diagnostic) in
      source.strides = permutation.map { source.strides[$0] }
    }
  }
}

extension Broadcast: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let shape = try program.tensorType(program.function[op].results[0]).shape
    let from = try program.operandType(0, of: op).shape
    try program.lowerMove(op) { source throws(Diagnostic) in source = source.broadcast(from: from, to: shape) }
  }
}

extension Slice: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let extents = try program.operandType(0, of: op).shape
    for axis in extents.indices { program.requireInside(axis, extents[axis], self, site: program.site(op)) }
    try program.lowerMove(op) { source throws(Diagnostic) in
      for axis in extents.indices {
        source.offset = source.offset + starts[axis] * source.strides[axis]
        // An axis of one element takes no step, however large.
        source.strides[axis] = sizes[axis] == 1 ? 0 : source.strides[axis] * steps[axis]
      }
    }
  }
}

extension Concat: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    let result = try program.tensorType(operation.results[0])
    let axis = axis < 0 ? axis + result.rank : axis
    try program.withMoveTarget(of: operation.results[0], site: program.site(op)) { target throws(Diagnostic) in
      var start: Dim = 0
      for part in operation.operands {
        guard let part else { throw .bug("concat without an operand") }
        let source = try program.moveSource(part)
        var shape = result.shape
        shape[axis] = try program.tensorType(part).shape[axis]
        var view = target
        view.offset = start * target.strides[axis]
        try program.emitCopy(shape, from: source, to: view, site: program.site(op))
        start = start + shape[axis]
      }
    }
  }
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
    try withMoveTarget(of: operation.results[0], site: site(op)) { target throws(Diagnostic) in
      try emitCopy(shape, from: viewed, to: target, site: site(op))
    }
  }

  /// A dense tensor whose elements are moved as bits, whatever they mean.
  func moveSource(_ value: ValueID) throws(Diagnostic) -> TensorView {
    let view = try TensorView(dense: try tensorType(value), try buffer(of: value))
    return TensorView(view.buffer, try view.element.bitPattern(), strides: view.strides)
  }

  /// Allocates a result and hands it to `body` as bits, densely. Elements of less than a byte are
  /// written a byte each, to be packed afterwards.
  func withMoveTarget(
    of result: ValueID, site: String, _ body: (TensorView) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let type = try tensorType(result)
    let element = try type.elementForCode().bitPattern()
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

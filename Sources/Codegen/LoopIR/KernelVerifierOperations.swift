import Support

/// The typing rule of every operation, and what can be told of an access.
extension KernelVerifier {
  func verify(_ operation: LoopOperation, _ result: LoopType, _ statement: Statement) throws(Diagnostic) {
    switch operation {
    case .integer:
      if result.scalar.isFloat { throw fail("an integer constant of type \(result)", statement) }
    case .float:
      if !result.scalar.isFloat { throw fail("a float constant of type \(result)", statement) }
    case .scalar(let number):
      guard kernel.scalars.indices.contains(number) else { throw fail("there is no scalar \(number)", statement) }
      try require(result == .index, "a scalar is an index", statement)
    case .thread, .threads: try require(result == .index, "a thread number is an index", statement)
    case .unary(let unary, let a):
      try expect(a, result, statement)
      try require(unary.accepts(result.scalar), "\(unary.rawValue) does not work on \(result)", statement)
    case .binary(let binary, let a, let b):
      try expect(a, result, statement)
      try expect(b, result, statement)
      try require(binary.accepts(result.scalar), "\(binary.rawValue) does not work on \(result)", statement)
    case .compare(let comparison, let a, let b):
      try expect(b, kernel[a], statement)
      try require(result == kernel[a].with(.i1), "a comparison gives truth, lane by lane", statement)
      let type = kernel[a]
      try require(comparison.accepts(type.scalar), "\(comparison.rawValue) does not work on \(type)", statement)
    case .select(let condition, let a, let b):
      try expect(a, result, statement)
      try expect(b, result, statement)
      let truth = kernel[condition]
      try require(truth == .bool || truth == result.with(.i1), "the condition is \(truth)", statement)
    case .fma(let a, let b, let c):
      for operand in [a, b, c] { try expect(operand, result, statement) }
      try require(result.scalar != .i1, "fma does not work on truth", statement)
    case .convert(let conversion, let a):
      try require(
        conversion.accepts(kernel[a], result), "\(kernel[a]) does not convert to \(result) so", statement)
    case .dot4(let accumulator, let unsigned, let signed):
      try expect(accumulator, result, statement)
      try require(result.scalar == .i32, "dot4 accumulates i32", statement)
      try expect(unsigned, LoopType(.i8, lanes: 4 * result.lanes), statement)
      try expect(signed, LoopType(.i8, lanes: 4 * result.lanes), statement)
    case .load(let address, let mask, let alignment):
      try verifyAccess(address, result, mask, alignment, writes: false, statement)
    case .gather(let address, let indices, let mask):
      try verifyIndexed(address, result, indices, mask, writes: false, statement)
    case .splat, .iota, .extract, .insert, .shuffle, .reduce: try verifyLanes(operation, result, statement)
    }
  }

  private func require(_ holds: Bool, _ message: String, _ statement: Statement) throws(Diagnostic) {
    if !holds { throw fail(message, statement) }
  }

  private func verifyLanes(
    _ operation: LoopOperation, _ result: LoopType, _ statement: Statement
  ) throws(Diagnostic) {
    switch operation {
    case .splat(let a): try expect(a, result.with(lanes: 1), statement)
    case .iota:
      try require(!result.scalar.isFloat && result.scalar != .i1, "iota counts in integers", statement)
    case .extract(let a, let lane):
      try require(result == kernel[a].with(lanes: 1), "a lane of \(kernel[a]) is no \(result)", statement)
      try require(lane >= 0 && lane < kernel[a].lanes, "\(kernel[a]) has no lane \(lane)", statement)
    case .insert(let a, let element, let lane):
      try expect(a, result, statement)
      try expect(element, result.with(lanes: 1), statement)
      try require(lane >= 0 && lane < result.lanes, "\(result) has no lane \(lane)", statement)
    case .shuffle(let a, let b, let lanes):
      try expect(b, kernel[a], statement)
      try require(result == kernel[a].with(lanes: lanes.count), "\(lanes.count) lanes make no \(result)", statement)
      for lane in lanes where lane < -1 || lane >= 2 * kernel[a].lanes {
        throw fail("two \(kernel[a]) have no lane \(lane)", statement)
      }
    case .reduce(let binary, let a):
      try require(result == kernel[a].with(lanes: 1), "\(kernel[a]) reduces to a scalar of its type", statement)
      try require(
        binary.reduces && binary.accepts(result.scalar), "\(binary.rawValue) does not reduce \(kernel[a])", statement)
    default: break
    }
  }

  // MARK: Memory

  func verifyPlace(_ address: Address, _ statement: Statement) throws(Diagnostic) {
    guard kernel.scalar(of: address.buffer) != nil else { throw fail("there is no such buffer", statement) }
    if let index = address.index { try expect(index, .index, statement) }
    try require(Swift.abs(address.offset) < 1 << 48, "the offset is beyond all memory", statement)
  }

  private func alignment(of buffer: BufferReference) -> Int {
    switch buffer {
    case .parameter(let number): kernel.buffers[number].alignment
    case .local(let number): kernel.locals[number].alignment
    }
  }

  private func elements(of buffer: BufferReference) -> Int? {
    switch buffer {
    case .parameter(let number): kernel.buffers[number].elements
    case .local(let number): kernel.locals[number].count
    }
  }

  private func verifyRights(_ buffer: BufferReference, writes: Bool, _ statement: Statement) throws(Diagnostic) {
    guard case .parameter(let number) = buffer else { return }
    let access = kernel.buffers[number].access
    let name = kernel.buffers[number].name
    try require(!writes || access != .read, "buffer \(name) is only read", statement)
    try require(writes || access != .write, "buffer \(name) is only written", statement)
  }

  private func verifyMask(_ mask: LoopValue?, _ type: LoopType, _ statement: Statement) throws(Diagnostic) {
    if let mask { try expect(mask, type.with(.i1), statement) }
  }

  func verifyAccess(
    _ address: Address, _ type: LoopType, _ mask: LoopValue?, _ alignment: Int, writes: Bool, _ statement: Statement
  ) throws(Diagnostic) {
    try verifyPlace(address, statement)
    try verifyRights(address.buffer, writes: writes, statement)
    try verifyMask(mask, type, statement)
    try require(KernelVerifier.isPowerOfTwo(alignment), "an alignment of \(alignment)", statement)
    let declared = self.alignment(of: address.buffer)
    try require(
      alignment <= declared, "the access claims \(alignment) bytes of alignment, the buffer has \(declared)", statement)
    guard let scalar = kernel.scalar(of: address.buffer), let known = knownIndex(address) else { return }
    let start = known.multipliedReportingOverflow(by: scalar.bytes)
    try require(!start.overflow, "the index overflows", statement)
    try require(start.partialValue % alignment == 0, "element \(known) is not aligned to \(alignment)", statement)
    if mask != nil { return }
    try require(known >= 0, "element \(known) is out of bounds", statement)
    guard let elements = elements(of: address.buffer) else { return }
    let size = elements.multipliedReportingOverflow(by: scalar.bytes)
    let end = start.partialValue.addingReportingOverflow(type.bytes)
    try require(
      size.overflow || !end.overflow && end.partialValue <= size.partialValue,
      "element \(known) is out of bounds: there are \(elements)", statement)
  }

  func verifyIndexed(
    _ address: Address, _ type: LoopType, _ indices: LoopValue, _ mask: LoopValue?, writes: Bool,
    _ statement: Statement
  ) throws(Diagnostic) {
    try verifyPlace(address, statement)
    try verifyRights(address.buffer, writes: writes, statement)
    try verifyMask(mask, type, statement)
    let scalar = kernel.scalar(of: address.buffer)
    try require(scalar?.bytes == type.scalar.bytes, "lanes and elements differ in size", statement)
    let index = kernel[indices]
    try require(
      index.lanes == type.lanes && (index.scalar == .i32 || index.scalar == .i64),
      "indices are \(index), expected i32 or i64, one a lane", statement)
  }

  /// The element that an address names, where that is constant.
  private func knownIndex(_ address: Address) -> Int? {
    guard let index = address.index else { return address.offset }
    guard let known = constants[index] else { return nil }
    let sum = known.addingReportingOverflow(address.offset)
    return sum.overflow ? nil : sum.partialValue
  }
}

extension UnaryOperation {
  fileprivate func accepts(_ scalar: LoopScalar) -> Bool {
    switch self {
    case .neg, .abs: scalar != .i1
    case .not: !scalar.isFloat
    case .popcount, .clz: !scalar.isFloat && scalar != .i1
    case .sqrt, .floor, .ceil, .trunc, .rint: scalar.isFloat
    }
  }
}

extension BinaryOperation {
  fileprivate func accepts(_ scalar: LoopScalar) -> Bool {
    switch self {
    case .and, .or, .xor: !scalar.isFloat
    case .add, .sub, .mul, .div, .rem, .min, .max: scalar != .i1
    default: !scalar.isFloat && scalar != .i1
    }
  }

  fileprivate var reduces: Bool {
    switch self {
    case .add, .mul, .min, .max, .umin, .umax, .and, .or, .xor: true
    default: false
    }
  }
}

extension Comparison {
  fileprivate func accepts(_ scalar: LoopScalar) -> Bool {
    switch self {
    case .eq, .ne: true
    case .lt, .le, .gt, .ge: scalar != .i1
    case .ult, .ule, .ugt, .uge: !scalar.isFloat && scalar != .i1
    }
  }
}

extension Conversion {
  fileprivate func accepts(_ from: LoopType, _ to: LoopType) -> Bool {
    if self == .bitcast {
      return from.scalar.bits * from.lanes == to.scalar.bits * to.lanes
    }
    guard from.lanes == to.lanes else { return false }
    let (a, b) = (from.scalar, to.scalar)
    return switch self {
    case .signExtend, .zeroExtend: !a.isFloat && !b.isFloat && a.bits < b.bits
    case .truncate: !a.isFloat && !b.isFloat && a.bits > b.bits
    case .floatExtend: a.isFloat && b.isFloat && a.bits < b.bits
    case .floatTruncate: a.isFloat && b.isFloat && a.bits > b.bits
    case .signedToFloat, .unsignedToFloat: !a.isFloat && b.isFloat
    case .floatToSigned, .floatToUnsigned: a.isFloat && !b.isFloat && b != .i1
    case .bitcast: false
    }
  }
}

import IR
import Support

extension GraphGenerator {
  /// Quantizes and dequantizes again, by a type's parameters or by operands.
  mutating func addQuantization() throws(Diagnostic) {
    guard options.jumps, let x = pickFloat(rank: 1...4), x.magnitude < 1000 else { return }
    let stored = random.pick([ElementType.i8, .u8, .i16, .i4]) ?? .i8
    let range = stored.integerRange ?? 0...1
    let axis = x.type.rank - 1
    let channels = random.chance(50) ? x.type.shape[axis].constant : nil
    let count = channels ?? 1
    var (scales, zeros) = ([Double](), [Int]())
    for _ in 0..<count {
      scales.append(random.real(0.01, 0.5) + 0.01)
      zeros.append(stored.isSigned ? 0 : random.within(100...140))
    }
    let rounding: QuantizationRounding = random.chance(70) ? .nearestEven : .tflite
    let bound = Double(range.upperBound - range.lowerBound) * 0.52
    guard bound <= GraphGenerator.limit * 4 else { return }
    if random.chance(50) {
      let parameters = QuantizationParameters(
        scales: scales.map(Float.init), zeroPoints: zeros, axis: channels == nil ? nil : axis)
      let name = builder.module.intern(parameters)
      let q = try addInteger(Quantize(to: .quantized(stored, name), rounding: rounding), [x.id])
      pool.removeLast()
      try add(Dequantize(), [q.id], -bound, bound)
      return
    }
    let shape = channels.map { [$0] } ?? []
    let scale = try constant(Tensor(.f32, shape, doubles: scales), 0, 1)
    let zero = try constant(Tensor(stored, shape, integers: zeros), 0, 200)
    let operands: [ValueID?] = random.chance(70) || !stored.isSigned ? [x.id, scale.id, zero.id] : [x.id, scale.id]
    let q = try addInteger(Quantize(to: .plain(stored), axis: axis, rounding: rounding), operands)
    try add(Dequantize(axis: axis), [q.id] + operands.dropFirst(), -bound, bound)
  }

  /// Block weights, whole or by rows.
  mutating func addBlocks() throws(Diagnostic) {
    guard let format = random.pick([BlockFormat.q8_0, .q4_0]) else { return }
    let shape = [random.within(1...4), 32]
    var bytes: [UInt8] = []
    for _ in 0..<shape[0] {
      // An f16 scale of 2^-6, then random values.
      bytes += [0x00, 0x24]
      for _ in 2..<format.bytesPerBlock { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
    }
    let tensor = try Tensor(element: .block(format), shape: shape, bytes: ByteView(copying: bytes))
    var blocks = try add(weight: tensor)
    if random.chance(50) {
      let rows = randomTensor(.i64, [2], 0, Double(shape[0] - 1))
      let indices = try builder.constant(rows)
      blocks = try builder.add(Gather(axis: 0), [blocks, indices])[0]
    }
    try add(Dequantize(), [blocks], -2, 2)
  }

  mutating func addSequence() throws(Diagnostic) {
    guard let x = choose(fitting({ concrete($0) != nil })) else { return }
    let others = pool.filter { $0.type == x.type }
    let second = random.pick(others) ?? x
    let sequence = try builder.add(SequenceMake(), [x.id, second.id])[0]
    let index = try constant(.scalar(random.within(-2...1)), -2, 1)
    try add(SequenceAt(), [sequence, index.id], min(x.low, second.low), max(x.high, second.high))
    if random.chance(50) { try add(SequenceLength(), [sequence], 2, 2) }
  }

  mutating func addOptional() throws(Diagnostic) {
    guard let x = choose(fitting({ concrete($0) != nil })) else { return }
    let isThere = random.chance(70)
    let kind = OptionalMake(element: isThere ? nil : .tensor(x.type))
    let value = try builder.add(kind, [isThere ? x.id : nil])[0]
    try add(OptionalHas(), [value], 0, 1)
    if isThere { try add(OptionalGet(), [value], x.low, x.high) }
  }

  /// Reads a state, mixes something in, and writes it back; what is written stays within -1...1, run after run.
  mutating func addState() throws(Diagnostic) {
    guard depth == 0 else { return }
    let name = builder.module.states.isEmpty || random.chance(30) ? "state\(builder.module.states.count)" : "state0"
    if builder.module.state(name) == nil {
      let shape = [Dim(random.within(1...3)), Dim(random.within(1...4))]
      builder.module.add(StateDeclaration(name: name, type: .tensor(.f32, shape)))
    }
    let old = try add(StateRead(name), [], -1, 1)
    guard random.chance(70) else { return }
    let scalar = try constant(Tensor(.f32, [], doubles: [random.real(-1, 1)]), -1, 1)
    let mixed = try add(Binary(.add), [old.id, scalar.id], -2, 2)
    let new = try add(Unary(.tanh), [mixed.id], -1, 1)
    try builder.add(StateUpdate(name), [new.id])
  }
}

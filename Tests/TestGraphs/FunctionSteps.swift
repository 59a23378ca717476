import IR
import Support

// Functions that models seldom have, and numbers from nowhere.

extension GraphGenerator {
  mutating func addSeldomOp() throws(Diagnostic) {
    switch random.below(10) {
    case 0...4: try addSeldomFunction()
    case 5...6: try addQuotient()
    case 7: try addBitCast()
    case 8: try addFakeQuant()
    default: try addMadeUpNumbers()
    }
  }

  /// One function of a float, moved to where it is defined and tame if need be.
  private mutating func addSeldomFunction() throws(Diagnostic) {
    let smooth: [Unary.Function] = [
      .exp2, .expm1, .log2, .log1p, .tan, .asin, .acos, .atan, .sinh, .cosh, .asinh, .acosh, .atanh,
      .silu, .gelu, .geluTanh, .hardSwish,
    ]
    guard var x = pickFloat(), let function = random.pick(options.jumps ? smooth + [.trunc, .roundAway] : smooth)
    else { return }
    switch function {
    case .exp2, .expm1, .sinh, .cosh:
      if x.magnitude > 4 { x = try add(Unary(.tanh), [x.id], -1, 1) }
    case .log2, .log1p: x = try positive(x, from: 0.5)
    case .acosh: x = try positive(x, from: 1.5)
    case .tan, .asin, .acos, .atanh:
      x = try add(Unary(.tanh), [x.id], -1, 1)
      let part = try constant(Tensor(x.element, [], doubles: [0.75]), 0.75, 0.75)
      x = try add(Binary(.mul), [x.id, part.id], -0.75, 0.75)
    default: break
    }
    var ends = [function.apply(x.low), function.apply(x.high)]
    switch function {
    case .cosh: ends.append(1)
    // None of the activations dips lower.
    case .silu, .gelu, .geluTanh, .hardSwish: ends += [-0.4, 0]
    default: break
    }
    try add(Unary(function), [x.id], ends.min() ?? 0, ends.max() ?? 0)
  }

  private mutating func positive(_ x: Item, from least: Double) throws(Diagnostic) -> Item {
    let magnitude = try add(Unary(.abs), [x.id], 0, x.magnitude)
    let offset = try constant(Tensor(x.element, [], doubles: [least]), least, least)
    return try add(Binary(.add), [magnitude.id, offset.id], least, x.magnitude + least)
  }

  private mutating func addQuotient() throws(Diagnostic) {
    if let a = choose(fitting { $0.isInteger && concrete($0) != nil }), random.chance(50) {
      let number = random.within(1...5)
      let b = try constant(.scalar(number, a.element), Double(number), Double(number))
      try addInteger(Binary(random.chance(50) ? .rem : .floorDiv), [a.id, b.id])
      return
    }
    guard let a = pickFloat() else { return }
    if !options.jumps || random.chance(40) {
      guard let b = try partner(of: a) else { return }
      try add(Binary(.atan2), [a.id, try positive(b, from: 0.5).id], -1.6, 1.6)
      return
    }
    let b = try constant(Tensor(a.element, [], doubles: [2.5]), 2.5, 2.5)
    if random.chance(50) {
      try add(Binary(.rem), [a.id, b.id], -min(a.magnitude, 2.5), min(a.magnitude, 2.5))
    } else {
      try add(Binary(.floorDiv), [a.id, b.id], a.low / 2.5 - 1, a.high / 2.5 + 1)
    }
  }

  private mutating func addBitCast() throws(Diagnostic) {
    let others: [ElementType: ElementType] = [
      .i8: .u8, .u8: .i8, .i16: .u16, .u16: .i16, .i32: .u32, .u32: .i32,
    ]
    guard let x = choose(fitting { others[$0.element] != nil && $0.type.plain != nil && concrete($0) != nil }),
      let element = others[x.element]
    else { return }
    try addInteger(BitCast(to: element), [x.id])
  }

  private mutating func addFakeQuant() throws(Diagnostic) {
    guard options.jumps, let x = pickFloat() else { return }
    let scale = try constant(Tensor(.f32, [], doubles: [0.125]), 0.125, 0.125)
    let zero = try constant(Tensor(.i32, [], integers: [random.within(0...3)]), 0, 3)
    let kind = FakeQuant(bits: random.within(2...8), signed: random.chance(50), narrow: random.chance(50))
    try add(kind, random.chance(50) ? [x.id, scale.id, zero.id] : [x.id, scale.id], -33, 33)
  }

  /// Two trees of three nodes over rows that are constant, so that rounding cannot turn a walk.
  private mutating func addTrees() throws(Diagnostic) {
    let element: ElementType = random.chance(70) ? .f32 : .f64
    let rows = random.pick(options.large ? [1, 9, 70] : [1, 2, 5]) ?? 1
    let x = try constant(randomTensor(element, [rows, 3], -2, 2), -2, 2)
    func table(_ values: [Int], _ shape: [Int]) throws(Diagnostic) -> ValueID {
      try constant(Tensor(.i32, shape, integers: values), -9, 9).id
    }
    let features = try table((0..<6).map { _ in random.within(0...2) }, [6])
    let thresholds = try constant(randomTensor(element, [6], -2, 2), -2, 2)
    let children = try table([1, 2, -1, -2, -3, -4, 4, -5, -6, 5, -7, -8], [6, 2])
    let (roots, targets) = (try table([0, 3], [2]), try table([0, random.within(0...1)], [2]))
    let weights = try constant(randomTensor(element, [8, 2], -1, 1), -1, 1)
    let function = random.pick(TreeEnsemble.Function.allCases) ?? .sum
    // An output without a tree is infinite for the least and greatest; three outputs would have such.
    let kind = TreeEnsemble(function, outputs: function == .sum ? 3 : 2)
    let start = function == .sum ? targets : try table([0, 0], [2])
    try add(kind, [x.id, features, thresholds.id, children, roots, start, weights.id], -2, 2)
  }

  private mutating func addMadeUpNumbers() throws(Diagnostic) {
    if random.chance(25) { return try addTrees() }
    if random.chance(40) {
      let order = random.within(1...4)
      let matrices = try constant(randomTensor(.f32, [2, order, order], -1, 1), -1, 1)
      try add(Determinant(), [matrices.id], -24, 24)
      return
    }
    let element: ElementType = random.chance(50) ? .u32 : .u64
    let kind = RandomBits(element, shape: [3, 5], seed: random.below(100), stream: random.below(3))
    let bits = try addInteger(kind, [])
    let shift = try constant(.scalar(element.bits - 7, element), 25, 57)
    try addInteger(Binary(.shiftRight), [bits.id, shift.id])
    // Of u64 the items' intervals know one half only.
    pool.removeAll { $0.id == bits.id }
  }
}

import IR
import Support

// Named ops as models spell them out, with operands, orders and functions drawn at random.

extension PassGraph {
  /// Adds something that a pass should find a name for, or nearly.
  mutating func spelled(_ pool: inout [ValueID]) {
    let value: ValueID?
    switch below(9) {
    case 0, 1: value = try? spelledNorm(pool)
    case 2: value = try? spelledSoftmax(pool)
    case 3: value = try? spelledAttention(pool)
    case 4: value = try? spelledRope(pool)
    case 5: value = try? spelledActivation(pool)
    case 6: value = try? splitAndJoined(pool)
    default: value = try? scaledContraction(pool)
    }
    if let value { pool.append(value) }
  }

  // MARK: Words

  private mutating func unary(_ function: Unary.Function, _ x: ValueID) throws(Diagnostic) -> ValueID {
    try builder.add(Unary(function), x)
  }

  private mutating func binary(_ function: Binary.Function, _ a: ValueID, _ b: ValueID) throws(Diagnostic) -> ValueID {
    let commutes = function == .add || function == .mul
    return commutes && chance(50) ? try builder.add(Binary(function), b, a) : try builder.add(Binary(function), a, b)
  }

  private mutating func number(_ value: Double) throws(Diagnostic) -> ValueID {
    try builder.constant(Tensor(.f32, chance(50) ? [] : [1], doubles: [value]))
  }

  private mutating func row(_ count: Int) throws(Diagnostic) -> ValueID {
    try builder.constant(Tensor(.f32, [count], doubles: (0..<count).map { _ in Double(below(400) - 200) / 100 }))
  }

  private func shape(_ value: ValueID) -> [Dim] { builder.function.tensorType(value)?.shape ?? [] }

  /// A float value of at least `rank` axes, with numbers that no step before has made large.
  private mutating func operand(_ pool: [ValueID], rank: ClosedRange<Int>) throws(Diagnostic) -> ValueID {
    let fitting = pool.filter { value in
      guard let type = builder.function.tensorType(value) else { return false }
      return type.plain == .f32 && rank.contains(type.rank) && (type.shape.last?.constant ?? 0) > 0
    }
    guard !fitting.isEmpty else { throw .invalid("there is no operand") }
    let value = pick(fitting)
    return try chance(50) ? unary(.tanh, value) : value
  }

  /// What another reader or another number makes a near miss of, now and then.
  private mutating func spoiled(_ value: Double) -> Double { chance(10) ? value * 1.5 : value }

  // MARK: Norms

  private mutating func mean(_ x: ValueID, axis: Int) throws(Diagnostic) -> ValueID {
    let shape = shape(x)
    if chance(60) {
      return try builder.add(Reduce(.mean, axes: [chance(50) ? axis : axis - shape.count], keepDims: true), x)
    }
    let count = Double(shape[axis].constant ?? 1)
    let sum = try builder.add(Reduce(.sum, axes: [axis], keepDims: true), x)
    if chance(50) { return try builder.add(Binary(.div), sum, number(spoiled(count))) }
    return try builder.add(Binary(.mul), sum, number(1 / spoiled(count)))
  }

  private mutating func spelledNorm(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    var x = try operand(pool, rank: 2...4)
    let half = chance(20)
    if half {
      // Half floats, normalised in f32.
      x = try builder.add(Cast(to: .f32), builder.add(Cast(to: .f16), x))
    }
    let rank = shape(x).count
    let axis = chance(85) ? rank - 1 : rank - 2
    let average = try mean(x, axis: axis)
    let isCentered = chance(60)
    let center = isCentered ? try builder.add(Binary(.sub), x, average) : x
    let square =
      chance(50) ? try builder.add(Binary(.mul), center, center) : try builder.add(Binary(.pow), center, number(2))
    let sum = try binary(.add, mean(square, axis: axis), number(0.1))
    let inverse: ValueID
    switch below(4) {
    case 0: inverse = try unary(.rsqrt, sum)
    case 1: inverse = try unary(.reciprocal, unary(.sqrt, sum))
    case 2: inverse = try builder.add(Binary(.pow), sum, number(-0.5))
    default: inverse = try builder.add(Binary(.div), number(1), unary(.sqrt, sum))
    }
    let count = shape(x)[rank - 1].constant ?? 1
    if isCentered, chance(40) {
      // One factor for the value and its mean.
      let factor = chance(70) ? try binary(.mul, inverse, row(count)) : inverse
      let moved = try binary(.mul, average, factor)
      return try binary(.add, binary(.mul, x, factor), builder.add(Binary(.sub), row(count), moved))
    }
    var y =
      chance(30)
      ? try builder.add(Binary(.div), center, unary(.sqrt, sum)) : try binary(.mul, center, inverse)
    if half, chance(70) { y = try builder.add(Cast(to: .f32), builder.add(Cast(to: .f16), y)) }
    if chance(60) { y = try binary(.mul, y, row(count)) }
    if chance(40) { y = try binary(.add, y, row(count)) }
    return y
  }

  // MARK: Softmax and attention

  private mutating func spelledSoftmax(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    try softmax(operand(pool, rank: 1...4), spelled: true)
  }

  private mutating func softmax(_ value: ValueID, spelled: Bool) throws(Diagnostic) -> ValueID {
    var x = value
    let rank = shape(x).count
    guard spelled else { return try builder.add(Softmax(axis: chance(50) ? -1 : rank - 1), x) }
    let axis = chance(70) ? rank - 1 : below(rank)
    if chance(50) {
      x = try builder.add(Binary(.sub), x, builder.add(Reduce(.max, axes: [axis], keepDims: true), x))
    }
    let power = try unary(.exp, x)
    var sum = try builder.add(Reduce(.sum, axes: [axis], keepDims: true), power)
    if chance(30) {
      let kept = shape(sum)
      sum = try builder.add(Reduce(.sum, axes: [axis], keepDims: false), power)
      sum = try builder.add(Reshape(shape: kept), sum)
    }
    if chance(30) { return try binary(.mul, power, unary(.reciprocal, sum)) }
    return try builder.add(Binary(.div), power, sum)
  }

  private mutating func spelledAttention(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    // Positions, heads and widths that are known, so that masks can be constant.
    var q = try operand(pool, rank: 4...4)
    let (k, v) = (try unary(.tanh, q), chance(50) ? q : try unary(.sigmoid, q))
    var keys = k
    if chance(50) { q = try binary(.mul, q, number(0.5)) }
    if chance(30) { keys = try builder.add(Binary(.div), keys, number(2)) }
    var scores: ValueID
    if chance(50) {
      scores = try builder.add(MatMul(transposeRHS: true), q, keys)
    } else {
      scores = try builder.add(MatMul(), q, builder.add(Transpose(permutation: [0, 1, 3, 2]), keys))
    }
    if chance(40) { scores = try binary(.mul, scores, number(0.7)) }
    guard let rows = shape(scores)[2].constant else { throw .invalid("the positions are open") }
    for _ in 0..<below(3) { scores = try masked(scores, rows) }
    if chance(20) {
      let wide = shape(scores)
      scores = try builder.add(Reshape(shape: [wide[0] * wide[1] * wide[2], wide[3]]), scores)
      scores = try builder.add(Reshape(shape: wide), softmax(scores, spelled: chance(30)))
    } else {
      scores = try softmax(scores, spelled: false)
    }
    return try builder.add(MatMul(), scores, v)
  }

  /// Each row sees its own key at least: what sees nothing may become zero.
  private mutating func masked(_ scores: ValueID, _ rows: Int) throws(Diagnostic) -> ValueID {
    let isCausal = chance(50)
    var sees: [Int] = []
    for row in 0..<rows {
      for column in 0..<rows { sees.append(column == row || (isCausal ? column < row : chance(50)) ? 1 : 0) }
    }
    let choices: [Double] = [-.infinity, -3.4028234663852886e38, -10]
    let hidden = pick(choices)
    let wide = chance(50) ? [rows, rows] : [1, 1, rows, rows]
    if chance(40) {
      return try binary(.add, scores, builder.constant(Tensor(.f32, wide, doubles: sees.map { $0 == 1 ? 0 : hidden })))
    }
    let condition: ValueID
    if isCausal, chance(60) {
      let places = try builder.add(Iota(Dim(rows)))
      let column = try builder.add(Reshape(shape: [Dim(rows), 1]), places)
      condition = try builder.add(Compare(mnemonic: "greater_equal"), column, places)
    } else {
      condition = try builder.constant(Tensor(.bool, wide, integers: sees))
    }
    if chance(50) { return try builder.add(Select(), condition, scores, number(hidden)) }
    return try builder.add(Select(), unary(.not, condition), number(hidden), scores)
  }

  // MARK: Rotary positions

  private mutating func spelledRope(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    var x = try operand(pool, rank: 2...4)
    x = try builder.add(Concat(axis: -1), x, unary(.tanh, x))
    if self.shape(x).count == 4, chance(40) { x = try builder.add(Transpose(permutation: [0, 2, 1, 3]), x) }
    let shape = self.shape(x)
    guard let width = shape.last?.constant, width >= 2, width % 2 == 0 else { throw .invalid("no halves") }
    let half = width / 2
    func part(_ start: Int, _ size: Int, step: Int = 1) throws(Diagnostic) -> ValueID {
      var slice = Slice(starts: shape.map { _ in 0 }, sizes: shape, steps: shape.map { _ in 1 })
      let last = shape.count - 1
      (slice.starts[last], slice.sizes[last], slice.steps[last]) = (Dim(start), Dim(size), step)
      return try builder.add(slice, x)
    }
    let (cosines, sines) = (try row(half), try row(half))
    if chance(40) {
      let (a, b) = (try part(0, half), try part(half, half))
      let second = chance(90) ? cosines : sines
      let tables = [
        try builder.add(Concat(axis: 0), cosines, second), try builder.add(Concat(axis: 0), sines, sines),
      ]
      let turned = try builder.add(Concat(axis: shape.count - 1), unary(.neg, b), a)
      return try binary(.add, binary(.mul, x, tables[0]), binary(.mul, turned, tables[1]))
    }
    let neighbours = chance(50)
    let a = neighbours ? try part(0, half, step: 2) : try part(0, half)
    let b = neighbours ? try part(1, half, step: 2) : try part(half, half)
    let left = try builder.add(Binary(.sub), binary(.mul, a, cosines), binary(.mul, b, sines))
    let right = try binary(.add, binary(.mul, b, cosines), binary(.mul, chance(90) ? a : b, sines))
    guard neighbours else { return try builder.add(Concat(axis: shape.count - 1), left, right) }
    let column = Reshape(shape: shape.dropLast() + [Dim(half), 1])
    let joined = try builder.add(
      Concat(axis: shape.count), builder.add(column, left), builder.add(column, right))
    return try builder.add(Reshape(shape: shape), joined)
  }

  // MARK: Activations

  private mutating func spelledActivation(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    let x = try operand(pool, rank: 1...4)
    let factor: ValueID
    switch below(4) {
    case 0: return try binary(.mul, x, unary(.sigmoid, x))
    case 1:
      let power = try binary(.add, unary(.exp, unary(.neg, x)), number(1))
      return chance(50) ? try builder.add(Binary(.div), x, power) : try binary(.mul, x, unary(.reciprocal, power))
    case 2:
      let scaled =
        chance(50)
        ? try builder.add(Binary(.div), x, number(spoiled(2.0.squareRoot())))
        : try binary(.mul, x, number(0.5.squareRoot()))
      factor = try binary(.add, unary(.erf, scaled), number(1))
    default:
      let cube =
        chance(50) ? try builder.add(Binary(.pow), x, number(3)) : try binary(.mul, binary(.mul, x, x), x)
      let inner = try binary(.add, x, binary(.mul, cube, number(0.044715)))
      factor = try binary(.add, unary(.tanh, binary(.mul, inner, number(0.7978845608))), number(1))
    }
    switch below(3) {
    case 0: return try binary(.mul, binary(.mul, x, number(0.5)), factor)
    case 1: return try binary(.mul, x, binary(.mul, factor, number(0.5)))
    default: return try binary(.mul, binary(.mul, x, factor), number(spoiled(0.5)))
    }
  }

  // MARK: Parts

  /// Cut in two or three along an axis, joined again, and subtracted by way of a negation.
  private mutating func splitAndJoined(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    let x = try operand(pool, rank: 1...4)
    let shape = shape(x)
    let axis = below(shape.count)
    guard let extent = shape[axis].constant, extent > 1 else { throw .invalid("there is nothing to cut") }
    let cut = 1 + below(extent - 1)
    func part(_ start: Int, _ size: Int) throws(Diagnostic) -> ValueID {
      var slice = Slice(starts: shape.map { _ in 0 }, sizes: shape, steps: shape.map { _ in 1 })
      (slice.starts[axis], slice.sizes[axis]) = (Dim(start), Dim(size))
      return try builder.add(slice, x)
    }
    var parts = [try part(0, cut), try part(cut, extent - cut)]
    if chance(20) { parts.reverse() }
    let whole = try builder.add(Concat(axis: axis), parts)[0]
    if chance(50) { return try binary(.add, whole, unary(.neg, x)) }
    var slice = Slice(starts: shape.map { _ in 0 }, sizes: shape, steps: shape.map { _ in 1 })
    slice.sizes[axis] = 1
    slice.starts[axis] = Dim(below(extent))
    return try builder.add(slice, builder.add(Concat(axis: axis), whole, x))
  }

  // MARK: Factors behind contractions

  private mutating func scaledContraction(_ pool: [ValueID]) throws(Diagnostic) -> ValueID {
    var x = try operand(pool, rank: 2...4)
    guard let inner = shape(x).last?.constant else { throw .invalid("no columns") }
    let columns = 1 + below(3)
    var y: ValueID
    if shape(x).count == 4, chance(60) {
      if chance(50) {
        x = try builder.add(Pad(before: [0, 1, below(2), 0], after: [0, 0, 1, 0], value: chance(80) ? 0 : 1), x)
      }
      y = try builder.add(
        Conv(padding: chance(50) ? [] : [1, 0, 0, 1]), x, newWeight([columns, 1 + below(2), 1, inner]),
        chance(30) ? row(columns) : nil)
    } else {
      let isTurned = chance(40)
      y = try builder.add(
        MatMul(transposeRHS: isTurned), x, newWeight(isTurned ? [columns, inner] : [inner, columns]))
    }
    for _ in 0..<(1 + below(4)) {
      let other = chance(60) ? try row(columns) : try number(pick([0.5, 2, -1.5]))
      y = try chance(50) ? binary(.mul, y, other) : binary(.add, y, other)
    }
    return y
  }

  private mutating func newWeight(_ shape: [Int]) throws(Diagnostic) -> ValueID {
    let name = "own\(builder.module.weights.count)"
    let count = shape.reduce(1, *)
    let tensor = Tensor(.f32, shape, doubles: (0..<count).map { _ in Double(below(400) - 200) / 200 })
    builder.module.add(Weight(name: name, tensor: tensor, origin: name))
    return try builder.weight(name)
  }
}

import Glibc
import IR
import Support

extension GraphGenerator {
  mutating func addUnary() throws(Diagnostic) {
    guard
      let x = choose(fitting({ concrete($0) != nil && ($0.element.bits >= 8 || $0.isInteger) && $0.type.plain != nil }))
    else {
      return
    }
    if x.isFloat { return try addFloatFunction(x) }
    if x.element == .bool { _ = try add(Unary(.not), [x.id], 0, 1); return }
    guard let function = random.pick([Unary.Function.neg, .abs, .sign, .relu, .bitNot]) else { return }
    try addInteger(Unary(function), [x.id])
  }

  /// One function of a float, moved to where it is defined if need be.
  mutating func addFloatFunction(_ x: Item) throws(Diagnostic) {
    guard x.element.bits >= 16 else { return }
    let smooth: [Unary.Function] = [
      .neg, .abs, .exp, .log, .sqrt, .rsqrt, .reciprocal, .tanh, .sigmoid, .erf, .relu, .sin, .cos,
    ]
    let all = options.jumps ? smooth + [.sign, .floor, .ceil, .round, .isNaN] : smooth
    guard let function = random.pick(all) else { return }
    var x = x
    switch function {
    case .exp:
      if x.high > 4 { x = try add(Unary(.tanh), [x.id], -1, 1) }
    case .log, .sqrt, .rsqrt, .reciprocal:
      if x.low < 0.1 {
        x = try add(Unary(.abs), [x.id], 0, x.magnitude)
        let half = try constant(Tensor(x.element, [], doubles: [0.5]), 0.5, 0.5)
        x = try add(Binary(.add), [x.id, half.id], 0.5, x.high + 0.5)
      }
    case .sin, .cos:
      // Far from zero the argument's own rounding decides the result.
      if x.magnitude > 20 { x = try add(Unary(.tanh), [x.id], -1, 1) }
    default: break
    }
    let ends = [function.apply(x.low), function.apply(x.high)]
    switch function {
    case .sign, .sin, .cos, .tanh, .erf: try add(Unary(function), [x.id], -1, 1)
    case .abs, .relu: try add(Unary(function), [x.id], 0, x.magnitude)
    case .isNaN: try add(Unary(function), [x.id], 0, 1)
    // The rest is monotone where it is defined.
    default: try add(Unary(function), [x.id], ends.min() ?? 0, ends.max() ?? 0)
    }
  }

  /// A second operand for `a`: a value whose shape broadcasts with it, or a new constant.
  mutating func partner(of a: Item) throws(Diagnostic) -> Item? {
    let shape = a.type.shape
    let found = choose(
      fitting { b in
        guard b.type.plain == a.type.plain, concrete(b) != nil else { return false }
        let rank = max(shape.count, b.type.rank)
        var result: [Dim] = []
        for axis in 0..<rank {
          let x = axis < rank - shape.count ? 1 : shape[axis - rank + shape.count]
          let y = axis < rank - b.type.rank ? 1 : b.type.shape[axis - rank + b.type.rank]
          // Extents that only happen to be equal become guards, which hold.
          guard x == y || x == 1 || y == 1 || x.evaluate(symbols) == y.evaluate(symbols) else { return false }
          result.append(x == 1 ? y : x)
        }
        return fits(result)
      })
    if let found, random.chance(75) { return found }
    let extent = shape.last?.constant.map { random.chance(50) ? [$0] : [1] } ?? []
    return try constant(randomTensor(a.element, extent, a.element.isSigned ? -2 : 0, 2), a.element.isSigned ? -2 : 0, 2)
  }

  mutating func addBinary() throws(Diagnostic) {
    guard
      let a = choose(fitting({ $0.type.plain != nil && ($0.element.bits >= 16 || !$0.isFloat) && concrete($0) != nil }))
    else {
      return
    }
    if a.isInteger, random.chance(40) { return try addIntegerByConstant(a) }
    guard let b = try partner(of: a) else { return }
    if a.element == .bool {
      guard let function = random.pick([Binary.Function.and, .or, .xor]) else { return }
      _ = try add(Binary(function), [a.id, b.id], 0, 1)
      return
    }
    if a.isInteger {
      guard let function = random.pick([Binary.Function.add, .sub, .mul, .minimum, .maximum, .and, .or, .xor]) else {
        return
      }
      try addInteger(Binary(function), [a.id, b.id])
      return
    }
    try addFloatFunction(a, b)
  }

  private mutating func addFloatFunction(_ a: Item, _ b: Item) throws(Diagnostic) {
    guard var function = random.pick([Binary.Function.add, .sub, .mul, .div, .mod, .minimum, .maximum, .pow]) else {
      return
    }
    if function == .mod, !options.jumps { function = .sub }
    if function == .div || function == .mod, b.low < 0.1 { function = .mul }
    if function == .pow, a.low < 0.1 || a.high > 10 || b.magnitude > 3 { function = .add }
    let corners = [a.low, a.high].flatMap { x in [b.low, b.high].map { function.apply(x, $0) } }
    var (low, high) = (corners.min() ?? 0, corners.max() ?? 0)
    if function == .mod { (low, high) = (0, b.high) }
    if max(abs(low), abs(high)) > GraphGenerator.limit { function = .minimum }
    if function == .minimum { (low, high) = (min(a.low, b.low), min(a.high, b.high)) }
    try add(Binary(function), [a.id, b.id], low, high)
  }

  /// Functions that fail or say little on arbitrary second operands.
  private mutating func addIntegerByConstant(_ a: Item) throws(Diagnostic) {
    guard let function = random.pick([Binary.Function.div, .mod, .shiftLeft, .shiftRight, .pow]) else { return }
    let number = function == .div || function == .mod ? random.within(1...5) : random.within(0...3)
    let b = try constant(.scalar(number, a.element), Double(number), Double(number))
    try addInteger(Binary(function), [a.id, b.id])
  }

  mutating func addCompareAndSelect() throws(Diagnostic) {
    guard
      let a = choose(
        fitting({ $0.type.plain != nil && ($0.element.bits >= 16 || !$0.isFloat) && concrete($0) != nil })),
      let b = try partner(of: a)
    else { return }
    var condition = pool.first { $0.type == TensorType(.bool, []) }
    if options.jumps || !a.isFloat {
      let functions: [Compare.Function] =
        a.element == .bool ? [.equal, .notEqual] : [.equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual]
      guard let function = random.pick(functions) else { return }
      condition = try add(Compare(function), [a.id, b.id], 0, 1)
    }
    guard let condition, random.chance(80) else { return }
    try add(Select(), [condition.id, a.id, b.id], min(a.low, b.low), max(a.high, b.high))
  }

  mutating func addCast() throws(Diagnostic) {
    guard let x = choose(fitting({ $0.type.plain != nil && concrete($0) != nil })) else { return }
    if x.isFloat {
      // Through eight bits and back, or to an integer, or to another float.
      if options.jumps, x.element.bits >= 16, x.magnitude < 200, random.chance(30) {
        guard let narrow = random.pick([ElementType.f8e4m3fn, .f8e5m2, .f8e4m3fnuz, .f8e5m2fnuz]) else { return }
        let small = try add(Cast(to: narrow), [x.id], x.low * 1.2, x.high * 1.2)
        pool.removeLast()
        try add(Cast(to: .f32), [small.id], min(small.low, x.low), max(small.high, x.high))
      } else if options.jumps, x.magnitude < 100, random.chance(50) {
        guard let target = random.pick([ElementType.i8, .u8, .i16, .i32, .i64, .i4, .bool]) else { return }
        try addInteger(Cast(to: target), [x.id])
      } else {
        let floats: [ElementType] = options.otherFloats ? [.f32, .f16, .bf16, .f64] : [.f32]
        let target = random.pick(floats) ?? .f32
        try add(Cast(to: target), [x.id], x.low, x.high)
      }
    } else if x.magnitude < GraphGenerator.limit, random.chance(60) {
      try add(Cast(to: .f32), [x.id], x.low, x.high)
    } else if let target = random.pick([ElementType.i8, .u8, .u4, .i16, .u32, .i32, .i64, .u64]) {
      try addInteger(Cast(to: target), [x.id])
    }
  }
}

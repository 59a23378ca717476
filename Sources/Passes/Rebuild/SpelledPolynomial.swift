import IR

/// A product of values and numbers, however its factors are grouped.
struct SpelledProduct {
  private(set) var factors: [ValueID] = []
  private(set) var number = 1.0
  /// Without the op at the root.
  private(set) var ops: [OpID] = []

  /// Factors of factors count as long as nobody else reads them.
  init(_ root: OpID, _ context: PassContext) { gather(root, 0, context) }

  private static let deepest = 4

  private mutating func gather(_ op: OpID, _ depth: Int, _ context: PassContext) {
    guard let kind = context.kind(op, Binary.self), let a = context.operand(op, 0), let b = context.operand(op, 1)
    else { return }
    if kind.function == .div {
      guard let divisor = context.splat(b), divisor != 0 else {
        // No product: a single factor that matches nothing.
        factors = []
        return
      }
      number /= divisor
      return add(a, depth, context)
    }
    add(a, depth, context)
    add(b, depth, context)
  }

  private mutating func add(_ value: ValueID, _ depth: Int, _ context: PassContext) {
    if let factor = context.splat(value) {
      number *= factor
      return
    }
    guard depth < Self.deepest, context.useCount(value) == 1, let inner = context.producer(of: value, Binary.self),
      inner.kind.function == .mul
        || inner.kind.function == .div && context.operand(inner.op, 1).flatMap({ context.splat($0) }) ?? 0 != 0
    else {
      factors.append(value)
      return
    }
    ops.append(inner.op)
    gather(inner.op, depth + 1, context)
  }
}

/// A value that is a polynomial of another, with known coefficients.
struct SpelledPolynomial {
  /// Of powers 0, 1, 2, ...
  private(set) var coefficients: [Double]
  private(set) var ops: [OpID] = []

  private static let highest = 3
  private static let mostOps = 16

  init?(_ value: ValueID, of x: ValueID, _ context: PassContext) {
    var ops: [OpID] = []
    guard let found = Self.read(value, x, context, &ops) else { return nil }
    coefficients = found
    self.ops = ops
  }

  var negated: SpelledPolynomial {
    var result = self
    result.coefficients = coefficients.map { -$0 }
    return result
  }

  /// Whether the coefficients are meant to be these.
  func isAbout(_ wanted: [Double], _ context: PassContext) -> Bool {
    (0...Self.highest).allSatisfy { power in
      let mine = power < coefficients.count ? coefficients[power] : 0
      let other = power < wanted.count ? wanted[power] : 0
      return other == 0 ? mine == 0 : context.isAbout(mine, other)
    }
  }

  private static func read(
    _ value: ValueID, _ x: ValueID, _ context: PassContext, _ ops: inout [OpID]
  ) -> [Double]? {
    if value == x { return [0, 1] }
    if let number = context.splat(value) { return [number] }
    guard ops.count < mostOps, let op = context.function.definingOp(value) else { return nil }
    ops.append(op)
    if let unary = context.kind(op, Unary.self) {
      guard unary.function == .neg, let inner = context.operand(op, 0) else { return nil }
      return read(inner, x, context, &ops)?.map { -$0 }
    }
    guard let kind = context.kind(op, Binary.self), let left = context.operand(op, 0),
      let right = context.operand(op, 1), let a = read(left, x, context, &ops),
      let b = read(right, x, context, &ops)
    else { return nil }
    switch kind.function {
    case .add: return sum(a, b)
    case .sub: return sum(a, b.map { -$0 })
    case .mul: return product(a, b)
    case .div: return b.count == 1 && b[0] != 0 ? a.map { $0 / b[0] } : nil
    case .pow:
      guard b.count == 1, let exponent = Int(exactly: b[0]), (1...highest).contains(exponent) else { return nil }
      return (1..<exponent).reduce(Optional(a)) { power, _ in power.flatMap { product($0, a) } }
    default: return nil
    }
  }

  private static func sum(_ a: [Double], _ b: [Double]) -> [Double] {
    (0..<max(a.count, b.count)).map { ($0 < a.count ? a[$0] : 0) + ($0 < b.count ? b[$0] : 0) }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> [Double]? {
    guard a.count + b.count - 2 <= highest else { return nil }
    var result = [Double](repeating: 0, count: a.count + b.count - 1)
    for (i, p) in a.enumerated() { for (j, q) in b.enumerated() { result[i + j] += p * q } }
    return result
  }
}

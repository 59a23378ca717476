import IR
import Support

// Means and deviations of rows as models spell them out.

/// `mean(x)`, or `sum(x) / count`, with the axes kept as extents of 1.
struct SpelledMean {
  let x: ValueID
  /// In ascending order.
  let axes: [Int]
  let ops: [OpID]

  init?(_ value: ValueID, _ context: PassContext) {
    if let mean = SpelledReduction(.mean, value, context) {
      (x, axes, ops) = (mean.x, mean.axes, mean.ops)
      return
    }
    guard let quotient = context.producer(of: value, Binary.self), let total = context.operand(quotient.op, 0),
      let number = context.operand(quotient.op, 1).flatMap({ context.splat($0) }),
      let sum = SpelledReduction(.sum, total, context), let shape = context.shape(sum.x),
      context.shape(value) == context.shape(total),
      let count = sum.axes.reduce(Dim(1), { $0 * shape[$1] }).constant, count > 0
    else { return nil }
    switch quotient.kind.function {
    case .div: guard number == Double(count) else { return nil }
    case .mul: guard context.isAbout(number, 1 / Double(count), 1e-6) else { return nil }
    default: return nil
    }
    (x, axes, ops) = (sum.x, sum.axes, sum.ops + [quotient.op])
  }
}

/// `x - mean(x)`
struct SpelledCenter {
  let x: ValueID
  let axes: [Int]
  let ops: [OpID]

  init?(_ value: ValueID, _ context: PassContext) {
    guard let difference = context.producer(of: value, Binary.self), difference.kind.function == .sub,
      let x = context.operand(difference.op, 0),
      let mean = context.operand(difference.op, 1).flatMap({ SpelledMean($0, context) }), mean.x == x
    else { return nil }
    self.x = x
    axes = mean.axes
    ops = mean.ops + [difference.op]
  }
}

/// `sqrt(mean(base * base) + epsilon)`
struct SpelledDeviation {
  let base: ValueID
  let axes: [Int]
  /// The first of the axes, when they are the last ones of `base`.
  let rowAxis: Int?
  let epsilon: Double
  let ops: [OpID]

  /// The root itself: `sqrt x` or `pow x, 0.5`.
  init?(root value: ValueID, _ context: PassContext) {
    if let root = context.producer(of: value, Unary.self), root.kind.function == .sqrt {
      self.init(of: context.operand(root.op, 0), [root.op], context)
    } else if let power = context.producer(of: value, Binary.self), power.kind.function == .pow,
      let exponent = context.operand(power.op, 1), context.splat(exponent) == 0.5
    {
      self.init(of: context.operand(power.op, 0), [power.op], context)
    } else {
      return nil
    }
  }

  /// One over the root: `rsqrt x`, `pow x, -0.5`, `reciprocal (sqrt x)` or `1 / sqrt x`.
  init?(inverse value: ValueID, _ context: PassContext) {
    if let root = context.producer(of: value, Unary.self) {
      switch root.kind.function {
      case .rsqrt: self.init(of: context.operand(root.op, 0), [root.op], context)
      case .reciprocal:
        guard let inner = context.operand(root.op, 0) else { return nil }
        self.init(root: inner, context)
      default: return nil
      }
      return
    }
    guard let binary = context.producer(of: value, Binary.self), let a = context.operand(binary.op, 0),
      let b = context.operand(binary.op, 1)
    else { return nil }
    switch binary.kind.function {
    case .pow where context.splat(b) == -0.5: self.init(of: a, [binary.op], context)
    case .div where context.splat(a) == 1: self.init(root: b, context)
    default: return nil
    }
  }

  private init?(of value: ValueID?, _ ops: [OpID], _ context: PassContext) {
    guard let sum = context.producer(of: value, Binary.self), sum.kind.function == .add else { return nil }
    for (squares, number) in context.pairs(sum.op) {
      guard let epsilon = context.splat(number), epsilon >= 0, epsilon.isFinite,
        let mean = SpelledMean(squares, context), let base = SpelledDeviation.base(of: mean.x, context),
        let rank = context.shape(base)?.count
      else { continue }
      self.base = base
      axes = mean.axes
      rowAxis = mean.axes.isEmpty ? nil : mean.axes == Array(rank - mean.axes.count..<rank) ? mean.axes[0] : nil
      self.epsilon = epsilon
      self.ops = mean.ops + [sum.op] + ops
      return
    }
    return nil
  }

  /// What is squared, by a product or a power.
  private static func base(of value: ValueID, _ context: PassContext) -> ValueID? {
    guard let power = context.producer(of: value, Binary.self), let base = context.operand(power.op, 0),
      let second = context.operand(power.op, 1)
    else { return nil }
    switch power.kind.function {
    case .mul where second == base: return base
    case .pow where context.splat(second) == 2: return base
    default: return nil
    }
  }
}

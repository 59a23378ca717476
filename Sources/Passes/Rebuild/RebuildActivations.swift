import IR
import Support

/// Rebuilds the activations that multiply an argument by a gate of itself.
///
///     %1 = mul %x, 0.70710677 : f32[n, 10]
///     %2 = erf %1             : f32[n, 10]
///     %3 = add %2, 1.0        : f32[n, 10]
///     %4 = mul %x, %3         : f32[n, 10]
///     %5 = mul %4, 0.5        : f32[n, 10]
///
/// becomes
///
///     %5 = gelu %x : f32[n, 10]
///
/// Likewise `silu`, by `sigmoid`, by `tanh` or as `x / (1 + exp(-x))`; `gelu_tanh`; and `hard_swish`, by limits however
/// they are scaled. Factors may stand in any order, and what a gate is of may be spelled in any way that is a
/// polynomial of `x`.
public let rebuildActivations = GraphPass(
  "rebuild-activations", .rounds(RoundingBound(relative: 1e-3, absolute: 1e-4)),
  "rebuilds gelu, silu and hard_swish that are spelled out"
) { context throws(Diagnostic) in
  try context.rewrite([gatedProductToActivation, quotientToSilu])
}

private let gatedProductToActivation = RewritePattern.rebuildingTold(
  "gated-product-to-activation", roots: ["mul", "div"]
) { op, context in
  let product = SpelledProduct(op, context)
  guard product.factors.count == 2 else { return nil }
  for (x, gate) in [(0, 1), (1, 0)].map({ (product.factors[$0], product.factors[$1]) }) {
    guard let spelled = SpelledGate(gate, of: x, context) else { continue }
    guard let function = spelled.activation(times: product.number, context) else {
      context.missed(
        "gated-product-to-activation", at: op, "\(product.number) x times that gate of x is no known activation")
      continue
    }
    return .init(kind: Unary(function), operands: [x], absorbed: product.ops + spelled.ops)
  }
  return nil
}

/// `x / (1 + exp(-x))`
private let quotientToSilu = RewritePattern.rebuilding("quotient-to-silu", roots: ["div"]) { op, context in
  guard let x = context.operand(op, 0),
    let sum = context.operand(op, 1).flatMap({ SpelledExponentialSum($0, of: x, context) }),
    sum.exponent.isAbout([0, -1], context)
  else { return nil }
  return .init(kind: Unary(.silu), operands: [x], absorbed: sum.ops)
}

/// `1 + exp p`, for a polynomial p of `x`.
private struct SpelledExponentialSum {
  let exponent: SpelledPolynomial
  let ops: [OpID]

  init?(_ value: ValueID, of x: ValueID, _ context: PassContext) {
    guard let sum = context.producer(of: value, Binary.self), sum.kind.function == .add else { return nil }
    for (power, one) in context.pairs(sum.op) {
      guard context.splat(one) == 1, let exponential = context.producer(of: power, Unary.self),
        exponential.kind.function == .exp,
        let exponent = context.operand(exponential.op, 0).flatMap({ SpelledPolynomial($0, of: x, context) })
      else { continue }
      (self.exponent, ops) = (exponent, exponent.ops + [exponential.op, sum.op])
      return
    }
    return nil
  }
}

/// What grows with `x`: `sigmoid p` or `1 / (1 + exp(-p))`, `1 + tanh p`, `1 + erf p`, or p between limits, for a polynomial p of `x`.
private struct SpelledGate {
  enum Shape {
    case sigmoid, onePlusTanh, onePlusErf
    case limited(low: Double, high: Double)
  }
  let shape: Shape
  let inner: SpelledPolynomial
  let ops: [OpID]

  init?(_ value: ValueID, of x: ValueID, _ context: PassContext) {
    if let gate = context.producer(of: value, Unary.self), gate.kind.function == .sigmoid,
      let inner = context.operand(gate.op, 0).flatMap({ SpelledPolynomial($0, of: x, context) })
    {
      (shape, self.inner, ops) = (.sigmoid, inner, inner.ops + [gate.op])
      return
    }
    if let inverse = context.producer(of: value, Unary.self), inverse.kind.function == .reciprocal,
      let sum = context.operand(inverse.op, 0).flatMap({ SpelledExponentialSum($0, of: x, context) })
    {
      (shape, inner, ops) = (.sigmoid, sum.exponent.negated, sum.ops + [inverse.op])
      return
    }
    guard let outer = context.producer(of: value, Binary.self) else { return nil }
    if outer.kind.function == .add {
      for (curve, one) in context.pairs(outer.op) {
        guard context.splat(one) == 1, let function = context.producer(of: curve, Unary.self),
          [.tanh, .erf].contains(function.kind.function),
          let inner = context.operand(function.op, 0).flatMap({ SpelledPolynomial($0, of: x, context) })
        else { continue }
        shape = function.kind.function == .tanh ? .onePlusTanh : .onePlusErf
        (self.inner, ops) = (inner, inner.ops + [function.op, outer.op])
        return
      }
      return nil
    }
    guard let limits = SpelledLimits(value, context), let inner = SpelledPolynomial(limits.x, of: x, context) else {
      return nil
    }
    (shape, self.inner, ops) = (.limited(low: limits.low, high: limits.high), inner, inner.ops + limits.ops)
  }

  /// What `number * x` times the gate is.
  func activation(times number: Double, _ context: PassContext) -> Unary.Function? {
    let slope = (2 / Double.pi).squareRoot()
    switch shape {
    case .sigmoid:
      guard context.isAbout(number, 1) else { return nil }
      if inner.isAbout([0, 1], context) { return .silu }
      return inner.isAbout([0, 2 * slope, 0, 2 * slope * 0.044715], context) ? .geluTanh : nil
    case .onePlusTanh:
      guard context.isAbout(number, 0.5) else { return nil }
      if inner.isAbout([0, 0.5], context) { return .silu }
      return inner.isAbout([0, slope, 0, slope * 0.044715], context) ? .geluTanh : nil
    case .onePlusErf:
      return context.isAbout(number, 0.5) && inner.isAbout([0, 0.5.squareRoot()], context) ? .gelu : nil
    case .limited(let low, let high):
      guard low == 0, context.isAbout(number * high, 1) else { return nil }
      return inner.isAbout([0.5 / number, 1 / (6 * number)], context) ? .hardSwish : nil
    }
  }
}

/// `minimum (maximum x, low), high`, in either order.
private struct SpelledLimits {
  let x: ValueID
  let low: Double
  let high: Double
  let ops: [OpID]

  init?(_ value: ValueID, _ context: PassContext) {
    var (low, high): (Double?, Double?)
    var (x, ops) = (value, [OpID]())
    for _ in 0..<2 {
      if let relu = context.producer(of: x, Unary.self), relu.kind.function == .relu, low == nil,
        let inner = context.operand(relu.op, 0)
      {
        (low, x) = (0, inner)
        ops.append(relu.op)
        continue
      }
      guard let limit = context.producer(of: x, Binary.self),
        let (inner, number) = context.pairs(limit.op).lazy
          .compactMap({ pair in context.splat(pair.1).map { (pair.0, $0) } }).first
      else { return nil }
      switch limit.kind.function {
      case .maximum where low == nil: low = number
      case .minimum where high == nil: high = number
      default: return nil
      }
      ops.append(limit.op)
      x = inner
    }
    guard let low, let high else { return nil }
    (self.x, self.low, self.high, self.ops) = (x, low, high, ops)
  }
}

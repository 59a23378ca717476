import IR
import Support

/// A cast to the type that `x` has.
let identityCast = RewritePattern.forwarding("identity-cast", roots: ["cast"]) { op, context in
  context.operand(op, 0)
}

/// `cast (cast x : wide) : narrow` is `x` again where the wide type holds every value of the narrow one.
let castThereAndBack = RewritePattern.forwarding("cast-there-and-back", roots: ["cast"]) { op, context in
  guard let between = context.operand(op, 0), let inner = context.producer(of: between, Cast.self),
    let x = context.operand(inner.op, 0), let from = context.function.tensorType(x)?.plain,
    let wide = context.function.tensorType(between)?.plain, holds(wide, everyValueOf: from)
  else { return nil }
  return x
}

/// `cast (cast x : wide) : any` needs no stop on the way where the wide type holds every value of `x`.
let castPastWider = RewritePattern.rebuilding("cast-past-wider", roots: ["cast"]) { op, context in
  guard let outer = context.kind(op, Cast.self), let between = context.operand(op, 0),
    let inner = context.producer(of: between, Cast.self), let x = context.operand(inner.op, 0),
    let from = context.function.tensorType(x)?.plain, let wide = context.function.tensorType(between)?.plain,
    from.isFloat == wide.isFloat, from != .bool, holds(wide, everyValueOf: from)
  else { return nil }
  return .init(kind: outer, operands: [x], absorbed: [inner.op])
}

/// Whether a value of `narrow` survives the way to `wide` and back, NaN and the sign of zero included.
private func holds(_ wide: ElementType, everyValueOf narrow: ElementType) -> Bool {
  if wide == narrow { return true }
  switch (narrow, wide) {
  case (.f16, .f32), (.f16, .f64), (.bf16, .f32), (.bf16, .f64), (.f32, .f64): return true
  default: break
  }
  if narrow == .bool { return wide.isInteger || [.f16, .bf16, .f32, .f64].contains(wide) }
  guard let inner = narrow.integerRange, let outer = wide.integerRange, wide.isInteger else { return false }
  // u64 reports the range that Int holds, which is less than it has.
  guard narrow != .u64 else { return false }
  return outer.lowerBound <= inner.lowerBound && inner.upperBound <= outer.upperBound
}

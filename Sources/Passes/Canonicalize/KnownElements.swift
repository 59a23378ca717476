import IR
import Support

/// An op whose result's elements are known is a constant.
///
///     %1 = shape %x            : i64[2]      // %x: f32[4, 8]
///
/// is `constant {value = i64[2] [4, 8]}`.
let knownConstant = RewritePattern("known-constant", roots: elementFactOps) { op, context throws(Diagnostic) in
  let operation = context.function[op]
  guard operation.results.count == 1, operation.kind.effects.isPure, operation.regions.isEmpty,
    let type = context.function.tensorType(operation.results[0]), let element = type.plain, element.integerRange != nil,
    let shape = type.constantShape, let integers = context.function[operation.results[0]].fact.knownIntegers,
    context.permit("known-constant", at: op)
  else { return false }
  let results = try context.insert(Constant(Tensor(element, shape, integers: integers)), [], before: op)
  try context.replace(op, with: results)
  return true
}

/// A scalar that is an expression of extents is that expression: `gather (shape %x), 0` is `dim {value = n}`.
let knownDim = RewritePattern("known-dim", roots: elementFactOps.filter { $0 != "extent" && $0 != "dim" }) {
  op, context throws(Diagnostic) in
  let operation = context.function[op]
  guard operation.results.count == 1, operation.kind.effects.isPure, operation.regions.isEmpty,
    let type = context.function.tensorType(operation.results[0]), type.plain == .i64, type.rank == 0,
    let element = context.function[operation.results[0]].fact.elements?.first, element.constant == nil,
    !context.introducesSymbol(operation), context.permit("known-dim", at: op)
  else { return false }
  let results = try context.insert(DimValue(element), [], before: op)
  try context.replace(op, with: results)
  return true
}

/// The ops that carry facts about elements; anything else has nothing to be replaced by.
let elementFactOps: [String] = {
  let movement = [
    "shape", "dim", "extent", "cast", "reshape", "slice", "concat", "gather", "broadcast", "transpose", "select",
    "reduce_prod", "reduce_sum", "not",
  ]
  return movement + ["add", "sub", "mul", "div", "mod", "minimum", "maximum", "and", "or", "xor"] + Compare.mnemonics
}()

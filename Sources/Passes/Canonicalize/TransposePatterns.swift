import IR
import Support

/// `transpose x {permutation = [0, 1, 2]}` is `x`.
let identityTranspose = RewritePattern("identity-transpose", roots: ["transpose"]) { op, context throws(Diagnostic) in
  guard let kind = context.function[op].kind as? Transpose, kind.permutation == Array(kind.permutation.indices),
    let x = context.function[op].operands[0], context.permit("identity-transpose", at: op)
  else { return false }
  try context.replace(op, with: [x])
  return true
}

/// `transpose (transpose x {p}) {q}` is one transpose.
let composeTransposes = RewritePattern("compose-transposes", roots: ["transpose"]) { op, context throws(Diagnostic) in
  guard let outer = context.function[op].kind as? Transpose, let between = context.function[op].operands[0],
    let producer = context.function.definingOp(between),
    let inner = context.function[producer].kind as? Transpose, let x = context.function[producer].operands[0],
    context.permit("compose-transposes", at: op)
  else { return false }
  let composed = Transpose(permutation: outer.permutation.map { inner.permutation[$0] })
  let locations = context.function[producer].locations
  let results = try context.insert(composed, [x], before: op)
  try context.replace(op, with: results)
  if let fresh = context.function.definingOp(results[0]) { context.addLocations(locations, to: fresh) }
  return true
}

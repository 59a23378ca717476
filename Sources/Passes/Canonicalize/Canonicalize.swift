import IR
import Support

/// Brings every op into its simplest form, so that later passes see one spelling of each idea.
///
///     %1 = transpose %x {permutation = [1, 0]}  : f32[8, 4]
///     %2 = transpose %1 {permutation = [1, 0]}  : f32[4, 8]
///     %3 = relu %2                              : f32[4, 8]
///     %4 = relu %3                              : f32[4, 8]
///     return %4
///
/// becomes
///
///     %1 = relu %x : f32[4, 8]
///     return %1
///
/// Each pattern is a file beside this one; the list is the order of trial at one op.
public let canonicalize = GraphPass(
  "canonicalize", .exact, "rewrites ops into their simplest equal form"
) { context throws(Diagnostic) in
  try context.rewrite(canonicalPatterns)
}

/// In families, since one long list would be slow to type-check.
let canonicalPatterns: [RewritePattern] = {
  let known = [
    knownConstant, knownDim, resolvedIf, constantSelect, resolvedSequenceAt, resolvedContainer, resolvedOptionalGet,
  ]
  let shapes = [
    identityTranspose, composeTransposes, unitTransposeIsReshape, transposeIntoMatMul, identityReshape, composeReshapes,
    reshapeAroundMatMul, reshapeAroundFunction, reshapeBeforePad, identityBroadcast, composeBroadcasts,
    unitBroadcastIsReshape,
  ]
  let parts = [
    identitySlice, composeSlices, sliceOfConcat, gatherIsSlice, identityPad, concatOfOne, concatWithoutEmpty,
    concatOfConcats, concatOfSlices,
  ]
  let arithmetic = [
    identityCast, castThereAndBack, castPastWider, constantToTheRight, neutralOperand, sameOperands, repeatedBound,
    doubleNegation, idempotentFunction, broadcastIntoElementwise,
  ]
  let constants = [
    squareIsProduct, divisionByPowerOfTwo, tighterBound, looserBound, productWithMinusOne, negatedOperand, selectOfNot,
  ]
  return known + shapes + parts + arithmetic + constants
}()

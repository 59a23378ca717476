import IR
import Support

/// Joins ops into what becomes one kernel each: a contraction with the elementwise ops after it, a reduction with
/// those before it, and what is left of elementwise ops among themselves.
///
///     %1 = conv %x, @w, @b : f32[1, 8, 8, 16]
///     %2 = add %1, %y      : f32[1, 8, 8, 16]
///     %3 = relu %2         : f32[1, 8, 8, 16]
///
/// becomes
///
///     %1 = fusion %x, @w, @b, %y {role = contraction} body (%a: ..., %w: ..., %b: ..., %r: ...) {
///       %2 = conv %a, %w, %b : f32[1, 8, 8, 16]
///       %3 = add %2, %r      : f32[1, 8, 8, 16]
///       %4 = relu %3         : f32[1, 8, 8, 16]
///       yield %4
///     } : f32[1, 8, 8, 16]
///
/// A fusion holds neither control flow nor state nor data movement; one value leaves it. Nearest misses say why an
/// op stayed outside.
public let fuseEpilogues = GraphPass(
  "fuse-epilogues", .exact, "joins contractions, reductions and elementwise ops into kernels"
) { context throws(Diagnostic) in
  try context.forEachFunction { context throws(Diagnostic) in
    var blocks = [context.function.body]
    while let block = blocks.popLast() {
      for op in context.function.ops(in: block) where !(context.function[op].kind is Fusion) {
        blocks.append(contentsOf: context.function[op].regions)
      }
      try fuse(block, &context)
    }
  }
}

private func fuse(_ block: BlockID, _ context: inout PassContext) throws(Diagnostic) {
  let ops = context.function.ops(in: block)
  var positions = BlockPositions(block, context.function)
  var taken: Set<OpID> = []
  for op in ops where FusibleOps.isContraction(context.function[op].kind) {
    try fuseContraction(op, &positions, &taken, &context)
  }
  for op in ops.reversed() where !taken.contains(op) && FusibleOps.isReduction(context.function[op].kind) {
    guard case let operand? = context.operand(op, 0), let shape = context.shape(operand) else { continue }
    try fuseProducers(of: op, .reduction, shape, &positions, &taken, &context)
  }
  // From the end: a root takes what leads to it, so the roots of what is left come last in program order.
  for op in ops.reversed() where !taken.contains(op) && FusibleOps.isElementwise(context.function[op].kind) {
    guard let shape = context.shape(context.function[op].results[0]) else { continue }
    try fuseProducers(of: op, .map, shape, &positions, &taken, &context)
  }
}

private func fuseContraction(
  _ op: OpID, _ positions: inout BlockPositions, _ taken: inout Set<OpID>, _ context: inout PassContext
) throws(Diagnostic) {
  guard let growth = EpilogueGrowth(from: op, positions, isTaken: { taken.contains($0) }, context) else { return }
  let name = context.function[op].kind.mnemonic
  for miss in growth.misses { context.missed(pattern(miss.op, into: name, context), at: miss.op, miss.reason) }
  guard let found = growth.group, let last = found.ops.last else { return }
  if let reason = tooManyInputs(found.ops, context) {
    context.missed("epilogue-into-\(name)", at: op, reason)
    return
  }
  guard context.permit("epilogue-into-\(name)", at: op) else { return }
  taken.formUnion(found.ops)
  let group = FusionGroup(role: .contraction, ops: found.ops, output: found.output)
  positions.put(try context.enclose(group, after: last), at: last)
}

private func fuseProducers(
  of root: OpID, _ role: Fusion.Role, _ shape: [Dim], _ positions: inout BlockPositions, _ taken: inout Set<OpID>,
  _ context: inout PassContext
) throws(Diagnostic) {
  let growth = ProducerGrowth(from: root, shape: shape, positions, isTaken: { taken.contains($0) }, context)
  let name = context.function[root].kind.mnemonic
  for miss in growth.misses { context.missed(pattern(miss.op, into: name, context), at: miss.op, miss.reason) }
  guard growth.ops.count > 1 else { return }
  if let reason = tooManyInputs(growth.ops, context) {
    context.missed("producers-into-\(name)", at: root, reason)
    return
  }
  guard context.permit("producers-into-\(name)", at: root) else { return }
  taken.formUnion(growth.ops)
  let output = context.function[root].results[0]
  let group = FusionGroup(role: role, ops: growth.ops, output: output)
  positions.put(try context.enclose(group, after: root), at: root)
}

private func pattern(_ op: OpID, into name: String, _ context: PassContext) -> String {
  "\(context.function[op].kind.mnemonic)-into-\(name)"
}

private func tooManyInputs(_ ops: [OpID], _ context: PassContext) -> String? {
  let inside = Set(ops)
  var inputs: Set<ValueID> = []
  for op in ops {
    for case let operand? in context.function[op].operands {
      if let definition = context.function.definingOp(operand), inside.contains(definition) { continue }
      inputs.insert(operand)
    }
  }
  let limit = context.limits.fusionInputs
  return inputs.count > limit ? "the fusion would take \(inputs.count) operands, more than \(limit)" : nil
}

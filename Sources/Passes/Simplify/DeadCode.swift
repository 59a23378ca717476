import IR
import Support

/// Removes what nothing asks for: ops without used results or effects, unused weights.
///
///     weight @w : f32[4]
///     entry @main(%x: f32[4]) -> (%y: f32[4]) {
///       %0 = add %x, @w : f32[4]
///       %1 = relu %x    : f32[4]
///       return %1
///     }
///
/// becomes
///
///     entry @main(%x: f32[4]) -> (%y: f32[4]) {
///       %0 = relu %x : f32[4]
///       return %0
///     }
///
/// An op that gives a symbol its value stays while anything alive mentions the
/// symbol. Unused results of a loop stay: they cost little and its regions agree on them.
public let deadCode = GraphPass(
  "dead-code", .exact, "removes ops, weights and symbols that nothing uses"
) { context throws(Diagnostic) in
  try context.forEachFunction { context throws(Diagnostic) in
    let live = LiveOps(in: context.function)
    var erased: [OpID] = []
    collectDead(context.function.body, in: context.function, live, &erased)
    // Users first: an op is erased when nothing reads it any more.
    for op in erased.reversed() {
      guard context.function.exists(op), context.function[op].results.allSatisfy({ context.function[$0].uses.isEmpty }),
        context.permit("unused", at: op)
      else { continue }
      context.erase(op)
    }
    context.dropUnusedWeights()
  }
  dropUnusedDeclarations(&context)
}

/// Dead ops in program order; the inside of a dead op goes with it.
private func collectDead(_ block: BlockID, in function: Function, _ live: LiveOps, _ result: inout [OpID]) {
  for op in function.ops(in: block) {
    guard live.contains(op) else {
      result.append(op)
      continue
    }
    for region in function[op].regions { collectDead(region, in: function, live, &result) }
  }
}

/// Weights no function reads, and symbols nothing mentions.
private func dropUnusedDeclarations(_ context: inout PassContext) {
  var weights = Set(context.module.states.compactMap(\.initial))
  var symbols: Set<String> = []
  for state in context.module.states { symbols.formUnion(SymbolUses.symbols(of: state.type)) }
  for function in context.module.functions {
    weights.formUnion(function.allWeightValues.map(\.name))
    for value in function[function.body].arguments { symbols.formUnion(SymbolUses.symbols(of: function[value].fact)) }
    for op in function.allOps() {
      symbols.formUnion(SymbolUses.symbols(of: function[op]))
      for result in function[op].results { symbols.formUnion(SymbolUses.symbols(of: function[result].fact)) }
    }
  }
  context.filterWeights { weights.contains($0.name) }
  let kept = context.module.symbols.filter { symbols.contains($0.name) }
  if kept.count < context.module.symbols.count { context.replaceSymbols(kept) }
}

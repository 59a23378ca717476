import IR

/// The ops of a function that its results, its effects or the symbols of live ops depend on.
struct LiveOps {
  private var isLive: [Bool]
  private var pending: [OpID] = []

  func contains(_ op: OpID) -> Bool { isLive[op.number] }

  init(in function: Function) {
    isLive = Array(repeating: false, count: function.operationCapacity)
    var introducers: [String: [OpID]] = [:]
    var known: Set<String> = []
    for argument in function[function.body].arguments {
      known.formUnion(SymbolUses.symbols(of: function[argument].fact))
    }
    findIntroducers(function.body, in: function, &known, &introducers)
    for value in function[function.body].yields { mark(value, in: function, &introducers) }
    for op in function.allOps() where !function[op].kind.effects.isPure { mark(op) }
    while let op = pending.popLast() { markInputs(of: op, in: function, &introducers) }
  }

  /// The first op in program order whose results mention a symbol gives it its value. Of the branches of an `if`, each
  /// does.
  private func findIntroducers(
    _ block: BlockID, in function: Function, _ known: inout Set<String>, _ introducers: inout [String: [OpID]]
  ) {
    for op in function.ops(in: block) {
      let before = known
      for region in function[op].regions {
        var inside = before
        findIntroducers(region, in: function, &inside, &introducers)
        known.formUnion(inside)
      }
      for result in function[op].results {
        let mentioned = SymbolUses.symbols(of: function[result].fact)
        for symbol in mentioned where known.insert(symbol).inserted {
          introducers[symbol, default: []].append(op)
        }
      }
    }
  }

  private mutating func mark(_ op: OpID) {
    guard !isLive[op.number] else { return }
    isLive[op.number] = true
    pending.append(op)
  }

  private mutating func mark(_ value: ValueID, in function: Function, _ introducers: inout [String: [OpID]]) {
    if let op = function.definingOp(value) { mark(op) }
    mark(SymbolUses.symbols(of: function[value].fact), &introducers)
  }

  private mutating func mark(_ symbols: Set<String>, _ introducers: inout [String: [OpID]]) {
    for symbol in symbols {
      for op in introducers.removeValue(forKey: symbol) ?? [] { mark(op) }
    }
  }

  private mutating func markInputs(of op: OpID, in function: Function, _ introducers: inout [String: [OpID]]) {
    let operation = function[op]
    // A live op makes the ops around it live, else there would be no place to run it.
    if let owner = function[operation.block].owner { mark(owner) }
    for operand in operation.operands { if let operand { mark(operand, in: function, &introducers) } }
    for result in operation.results { mark(SymbolUses.symbols(of: function[result].fact), &introducers) }
    mark(SymbolUses.symbols(of: operation), &introducers)
    for region in operation.regions {
      for value in function[region].yields { mark(value, in: function, &introducers) }
    }
  }
}

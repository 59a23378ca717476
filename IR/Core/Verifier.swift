import Support

/// Checks everything the rest of Martlet takes for granted about a module.
///
/// Every pass boundary may be verified (`--verify each`); phases always are.
public struct Verifier {
  private let module: Module
  private let symbols: Set<String>
  private let quantizations: Set<String>
  private let states: Set<String>
  /// Built once: a large module declares thousands of names.
  private let context: InferenceContext

  public static func verify(_ module: Module) throws(Diagnostic) {
    let verifier = Verifier(module)
    try verifier.verifyDeclarations()
    for function in module.functions { try verifier.verify(function) }
  }

  private init(_ module: Module) {
    self.module = module
    symbols = Set(module.symbols.map(\.name))
    quantizations = Set(module.quantizations.map(\.name))
    states = Set(module.states.map(\.name))
    context = module.inferenceContext
  }

  private func verifyDeclarations() throws(Diagnostic) {
    var names: Set<String> = []
    for function in module.functions where !names.insert(function.name).inserted {
      throw .invalid("two functions are called @\(function.name)")
    }
    var states: Set<String> = []
    for state in module.states {
      guard states.insert(state.name).inserted else { throw .invalid("two states are called @\(state.name)") }
      try Verifier.check(state, in: module)
    }
    for (name, parameters) in module.quantizations { try Verifier.check(name, parameters) }
  }

  /// Checks a state against the weight it starts as.
  static func check(_ state: StateDeclaration, in module: Module) throws(Diagnostic) {
    try state.type.check()
    guard let initial = state.initial else { return }
    guard let weight = module.weight(initial) else {
      throw .invalid("state @\(state.name) starts as @\(initial), which is no weight")
    }
    guard weight.type == state.type else {
      throw .invalid("state @\(state.name) is \(state.type), but starts as @\(initial) of type \(weight.type)")
    }
  }

  static func check(_ name: String, _ parameters: QuantizationParameters) throws(Diagnostic) {
    let count = parameters.scales.count
    guard count > 0, parameters.zeroPoints.count == count, parameters.axis != nil || count == 1,
      parameters.scales.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw .invalid(
        "the quantization parameters !\(MIRName.sigiled(name)) need as many zero points as positive scales, one of each without axis"
      )
    }
  }

  private func verify(_ function: Function) throws(Diagnostic) {
    var visible = Set<ValueID>()
    for (name, value) in function.allWeightValues {
      guard let weight = module.weight(name) else {
        throw .invalid("@\(function.name) uses @\(name), which is no weight")
      }
      guard weight.type == function.type(value) else {
        throw .bug("@\(function.name) sees @\(name) as \(function.type(value)), but it is \(weight.type)")
      }
      visible.insert(value)
    }
    guard !function.isEntry || function.resultNames.count == function[function.body].yields.count else {
      throw .invalid("entry @\(function.name) names \(function.resultNames.count) results")
    }
    try verify(function.body, of: function, visible: &visible)
  }

  private func verify(_ block: BlockID, of function: Function, visible: inout Set<ValueID>) throws(Diagnostic) {
    var added: [ValueID] = []
    defer { for value in added { visible.remove(value) } }
    for argument in function[block].arguments {
      try checkSymbols(function.type(argument), "an argument of @\(function.name)")
      visible.insert(argument)
      added.append(argument)
    }
    for id in function.ops(in: block) {
      let operation = function[id]
      let place = Location(path: operation.locations.first)
      let mnemonic = operation.kind.mnemonic
      do throws(Diagnostic) {
        for (number, operand) in operation.operands.enumerated() {
          guard let operand else { continue }
          guard visible.contains(operand) else {
            throw .invalid("\(mnemonic): operand \(number) is not defined before it")
          }
          guard function[operand].uses.contains(.operand(id, number)) else {
            throw .bug("\(mnemonic): operand \(number) does not know of its use")
          }
        }
        for region in operation.regions {
          guard function[region].owner == id else { throw .bug("\(mnemonic): a region has another owner") }
          try verify(region, of: function, visible: &visible)
        }
        var context = context
        let facts = try function.inferResults(
          of: operation.kind, operation.operands, regions: operation.regions, in: &context)
        guard facts.count == operation.results.count else {
          throw .bug("\(mnemonic) has \(operation.results.count) results, inference says \(facts.count)")
        }
        for (fact, result) in zip(facts, operation.results) where fact.type != function.type(result) {
          throw .invalid("\(mnemonic) gives \(fact.type), but is written as \(function.type(result))")
        }
        for guardian in context.guards where !operation.guards.contains(guardian) {
          throw .bug("\(mnemonic) needs a guard that \(guardian.left) equals \(guardian.right)")
        }
        let effects = operation.kind.effects
        for state in [effects.readsState, effects.writesState].compactMap({ $0 }) where !states.contains(state) {
          throw .invalid("\(mnemonic): there is no state @\(state)")
        }
        for result in operation.results { try checkSymbols(function.type(result), "the result of \(mnemonic)") }
      } catch {
        throw error.located(operation.locations.isEmpty ? nil : place)
      }
      for result in operation.results {
        visible.insert(result)
        added.append(result)
      }
    }
    for (number, value) in function[block].yields.enumerated() {
      guard visible.contains(value) else {
        throw .invalid("@\(function.name) yields a value that is not defined there")
      }
      guard function[value].uses.contains(.yield(block, number)) else { throw .bug("a yield is not among the uses") }
    }
  }

  private func checkSymbols(_ type: ValueType, _ what: String) throws(Diagnostic) {
    switch type {
    case .tensor(let tensor):
      for dim in tensor.shape {
        for symbol in dim.symbols where !symbols.contains(symbol) {
          throw .invalid("\(what) has type \(type), but there is no symbol \(symbol)")
        }
      }
      if case .quantized(_, let name) = tensor.element, !quantizations.contains(name) {
        throw .invalid("\(what) has type \(type), but there are no parameters !\(name)")
      }
    case .sequence(let element), .optional(let element): try checkSymbols(element, what)
    case .anyTensor: break
    }
  }
}

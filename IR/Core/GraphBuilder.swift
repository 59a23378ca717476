import Support

/// Builds ops with their types inferred: the one way frontends, parsers and tests make graphs.
public struct GraphBuilder {
  public var module: Module
  public var function: Function
  public private(set) var position: Function.Position
  /// Stamped on every op added from now on.
  public var locations: [String] = []

  public init(module: Module, function: Function) {
    self.module = module
    self.function = function
    position = .end(function.body)
  }

  /// The module with the function added.
  public consuming func finish() -> Module {
    module.functions.append(function)
    return module
  }

  public mutating func argument(_ name: String, _ fact: ValueFact) -> ValueID {
    function.addArgument(fact, name: name)
  }

  public mutating func weight(_ name: String) throws(Diagnostic) -> ValueID {
    guard let weight = module.weight(name) else { throw .invalid("there is no weight @\(name)") }
    return function.weight(name, type: weight.type)
  }

  /// Adds an op and returns its results.
  @discardableResult
  public mutating func add(_ kind: any OpKind, _ operands: [ValueID?], regions: [BlockID] = []) throws(Diagnostic)
    -> [ValueID]
  {
    var context = module.inferenceContext
    let facts = try function.inferResults(of: kind, operands, regions: regions, in: &context)
    let id = function.insert(
      kind, operands, results: facts, regions: regions, locations: locations, guards: context.guards, at: position)
    return function[id].results
  }

  /// Adds an op with one result.
  public mutating func add(_ kind: any OpKind, _ operands: ValueID?...) throws(Diagnostic) -> ValueID {
    try add(kind, operands)[0]
  }

  /// A small tensor as a `constant` op.
  public mutating func constant(_ tensor: Tensor) throws(Diagnostic) -> ValueID { try add(Constant(tensor), [])[0] }

  /// Builds a region: `body` gets its arguments and returns what it yields.
  public mutating func region(
    _ arguments: [ValueFact], names: [String?] = [],
    _ body: (inout GraphBuilder, [ValueID]) throws(Diagnostic) -> [ValueID]
  ) throws(Diagnostic) -> BlockID {
    let block = function.addBlock()
    var values: [ValueID] = []
    for (number, fact) in arguments.enumerated() {
      values.append(function.addArgument(fact, name: number < names.count ? names[number] : nil, to: block))
    }
    let outer = position
    position = .end(block)
    let yields = try body(&self, values)
    function.setYields(yields, of: block)
    position = outer
    return block
  }
}

extension Function {
  /// Checks the operands against the op's signature and asks it for its results.
  public func inferResults(
    of kind: any OpKind, _ operands: [ValueID?], regions: [BlockID] = [], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let inputs = try operandFacts(of: kind, operands)
    let names = kind.regionNames
    guard regions.count == names.count else {
      throw .invalid("\(kind.mnemonic) has \(names.count) regions, not \(regions.count)")
    }
    let regionFacts = regions.map { block in
      RegionFact(
        arguments: self[block].arguments.map { self[$0].fact }, results: self[block].yields.map { self[$0].fact })
    }
    let results = try kind.inferTypes(inputs, regions: regionFacts, in: &context)
    for result in results {
      do throws(Diagnostic) { try result.type.check() } catch {
        throw Diagnostic(
          error.kind, "\(kind.mnemonic): the result \(error.message)", at: error.location, hint: error.hint)
      }
    }
    return results
  }

  /// The facts of the operands, checked against the op's signature: as many as it takes, of types it takes.
  public func operandFacts(of kind: any OpKind, _ operands: [ValueID?]) throws(Diagnostic) -> [ValueFact] {
    let specs = kind.signature
    let minimum = specs.prefix { $0.multiplicity == .one }.count
    let variadic = specs.last?.multiplicity == .many
    guard operands.count >= minimum, variadic || operands.count <= specs.count else {
      throw .invalid("\(kind.mnemonic) takes \(Function.arity(specs)) operands, not \(operands.count)")
    }
    var inputs: [ValueFact] = []
    for (number, operand) in operands.enumerated() {
      let spec = specs[min(number, specs.count - 1)]
      guard let operand else {
        guard spec.multiplicity == .optional else {
          throw .invalid("\(kind.mnemonic): operand \(spec.name) is missing")
        }
        inputs.append(Function.absent)
        continue
      }
      let fact = self[operand].fact
      guard spec.elements.accepts(fact.type) else {
        throw .invalid("\(kind.mnemonic): operand \(spec.name) is \(fact.type), expected \(spec.elements.rawValue)")
      }
      inputs.append(fact)
    }
    return inputs
  }

  /// The fact that stands for an absent optional operand.
  public static let absent = ValueFact(.optional(.tensor(.bool, [])))

  private static func arity(_ specs: [OperandSpec]) -> String {
    let minimum = specs.prefix { $0.multiplicity == .one }.count
    if specs.last?.multiplicity == .many { return "at least \(minimum)" }
    return minimum == specs.count ? "\(minimum)" : "\(minimum) to \(specs.count)"
  }
}

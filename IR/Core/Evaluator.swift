import Support

/// Runs functions by their definition. The oracle of every test, `run --reference`, and constant folding.
public final class Evaluator {
  public let module: Module
  /// The states, kept from run to run.
  public var states: [String: Value] = [:]
  /// Called after every op of an entry's body, for per-op comparison.
  public var observe: ((OpID, [Value]) -> Void)?
  /// Replaces the results of every op, regions included: for studies of how rounding errors grow. Gets the op, its
  /// operands and what it computed.
  public var amend: ((Operation, [Value], [Value]) -> [Value])?
  /// Ops still allowed to run; a guard against endless loops.
  public var fuel = Int.max

  public init(_ module: Module) { self.module = module }

  public func run(_ name: String, _ inputs: [Value]) throws(Diagnostic) -> [Value] {
    guard let function = module.function(name) else { throw .usage("there is no entry \(name)") }
    let frame = Frame(function: function, evaluator: self)
    let arguments = function[function.body].arguments
    guard inputs.count == arguments.count else {
      throw .invalid("entry \(name) takes \(arguments.count) inputs, not \(inputs.count)")
    }
    try bindArguments(of: function, to: inputs, frame)
    for symbol in module.symbols {
      if let value = frame.symbols[symbol.name], !symbol.range.contains(value) {
        throw .invalid("\(symbol.name) is \(value), outside of \(symbol.range.lowerBound)...\(symbol.range.upperBound)")
      }
    }
    return try frame.run(function.body, inputs)
  }

  /// Solves for the symbols that the inputs tell, and checks the inputs against them.
  private func bindArguments(of function: Function, to inputs: [Value], _ frame: Frame) throws(Diagnostic) {
    let arguments = function[function.body].arguments
    func label(_ number: Int) -> String {
      "input \"\(function[arguments[number]].name ?? "\(arguments[number].number)")\""
    }
    let equations = SymbolEquations(function)
    try equations.requireAll(of: function.name)
    // Ranks and types are checked first: only then do extents mean something.
    for (number, input) in inputs.enumerated() {
      try frame.check(function.type(arguments[number]), against: input, label(number))
    }
    frame.symbols = try equations.solve(inputs.map { $0.tensor?.shape }, label: label)
    for (number, input) in inputs.enumerated() {
      try frame.bind(function.type(arguments[number]), to: input, label(number))
    }
  }

  /// Evaluates one op outside of any function, as folding does.
  public func evaluate(_ kind: any OpKind, _ inputs: [Value], results: [ValueType]) throws(Diagnostic) -> [Value] {
    var call = EvaluationCall(
      frame: Frame(function: Function(name: ""), evaluator: self), regions: [], resultTypes: results)
    return try kind.evaluate(inputs, &call)
  }

  func state(_ name: String) throws(Diagnostic) -> Value {
    if let value = states[name] { return value }
    guard let declaration = module.state(name) else { throw .invalid("there is no state @\(name)") }
    let value: Value
    if let initial = declaration.initial, let weight = module.weight(initial) {
      value = .tensor(weight.tensor)
    } else {
      guard let type = declaration.type.tensor, let shape = type.constantShape, let bytes = type.constantBytes else {
        throw .unsupported("state @\(name) has no constant shape and no initial value")
      }
      value = .tensor(
        try Tensor(element: type.element, shape: shape, layout: type.layout, bytes: ByteView(count: bytes) { _ in }))
    }
    states[name] = value
    return value
  }
}

/// One activation of a function.
final class Frame {
  let function: Function
  let evaluator: Evaluator
  private var values: [Value?]
  var symbols: [String: Int] = [:]

  init(function: Function, evaluator: Evaluator) {
    self.function = function
    self.evaluator = evaluator
    values = Array(repeating: nil, count: function.valueCapacity)
  }

  func run(_ block: BlockID, _ arguments: [Value]) throws(Diagnostic) -> [Value] {
    for (id, value) in zip(function[block].arguments, arguments) { values[id.number] = value }
    var next = function[block].first
    while let id = next {
      let operation = function[id]
      next = operation.next
      guard evaluator.fuel > 0 else { throw .invalid("the evaluation takes too many steps") }
      evaluator.fuel -= 1
      var results: [Value]
      do throws(Diagnostic) {
        for check in operation.guards {
          if let a = check.left.evaluate(symbols), let b = check.right.evaluate(symbols), a != b {
            throw .invalid("\(operation.kind.mnemonic): \(check.left) is \(a), but \(check.right) is \(b)")
          }
        }
        var inputs: [Value] = []
        for operand in operation.operands {
          inputs.append(try operand.map { id throws(Diagnostic) in try self.value(id) } ?? .optional(nil))
        }
        var call = EvaluationCall(
          frame: self, regions: operation.regions, resultTypes: operation.results.map { function.type($0) })
        results = try operation.kind.evaluate(inputs, &call)
        if let amend = evaluator.amend { results = amend(operation, inputs, results) }
        for (result, value) in zip(operation.results, results) {
          try bind(function.type(result), to: value, "the result of \(operation.kind.mnemonic)")
        }
      } catch {
        throw error.located(operation.locations.first.map { Location(path: $0) })
      }
      for (result, value) in zip(operation.results, results) { values[result.number] = value }
      evaluator.observe?(id, results)
    }
    var yields: [Value] = []
    for id in function[block].yields { yields.append(try value(id)) }
    return yields
  }

  private func value(_ id: ValueID) throws(Diagnostic) -> Value {
    if let value = values[id.number] { return value }
    if let name = function.weightName(id), let weight = evaluator.module.weight(name) { return .tensor(weight.tensor) }
    throw .bug("value \(id.number) of \(function.name) is read before it is computed")
  }

  /// Checks the rank and the elements of a value.
  func check(_ type: ValueType, against value: Value, _ label: String) throws(Diagnostic) {
    guard case .tensor(let expected) = type, case .tensor(let tensor) = value else { return }
    guard expected.rank == tensor.shape.count else {
      throw .invalid("\(label) has rank \(tensor.shape.count), expected \(expected)")
    }
    if expected.element.storage != tensor.element.storage {
      throw .invalid("\(label) is \(tensor.element), expected \(expected.element)")
    }
  }

  /// Binds the symbols of a type to what a value shows; a known dim must agree.
  func bind(_ type: ValueType, to value: Value, _ label: String) throws(Diagnostic) {
    try check(type, against: value, label)
    guard case .tensor(let expected) = type, case .tensor(let tensor) = value else { return }
    for (axis, dim) in expected.shape.enumerated() {
      if let known = dim.evaluate(symbols) {
        guard known == tensor.shape[axis] else {
          throw .invalid("\(label): dimension \(axis) is \(tensor.shape[axis]), expected \(known)")
        }
      } else if let name = dim.symbolName {
        symbols[name] = tensor.shape[axis]
      }
    }
  }
}

/// What an op's `evaluate` may use besides its operands.
public struct EvaluationCall {
  let frame: Frame
  let regions: [BlockID]
  public let resultTypes: [ValueType]

  public func run(region: Int, _ arguments: [Value]) throws(Diagnostic) -> [Value] {
    try frame.run(regions[region], arguments)
  }

  /// Runs a region that will run again: the symbols it binds are forgotten, so that the next time may bind them anew.
  public func iterate(region: Int, _ arguments: [Value]) throws(Diagnostic) -> [Value] {
    guard frame.evaluator.fuel > 0 else { throw .invalid("the evaluation takes too many steps") }
    frame.evaluator.fuel -= 1
    let before = frame.symbols
    defer { frame.symbols = before }
    return try frame.run(regions[region], arguments)
  }

  /// The run-time value of a dim.
  public func dim(_ dim: Dim) throws(Diagnostic) -> Int {
    guard let value = dim.evaluate(frame.symbols) else { throw .invalid("\(dim) has no value here") }
    return value
  }

  /// The run-time extents of a shape, checked to be ones a tensor can have.
  public func shape(_ dims: [Dim], _ op: String) throws(Diagnostic) -> [Int] {
    var result: [Int] = []
    for extent in dims { result.append(try dim(extent)) }
    try checkAllocatable(result, op)
    return result
  }

  /// The run-time value of a dim, or nil while a symbol in it is not bound.
  public func knownDim(_ dim: Dim) -> Int? { dim.evaluate(frame.symbols) }

  /// Gives a fresh symbol its value, which must be in the symbol's range.
  public func bind(_ symbol: String, to value: Int) throws(Diagnostic) {
    if let range = frame.evaluator.module.symbols.first(where: { $0.name == symbol })?.range, !range.contains(value) {
      throw .invalid("\(symbol) is \(value), outside of \(range.lowerBound)...\(range.upperBound)")
    }
    if let bound = frame.symbols[symbol], bound != value {
      throw .invalid("\(symbol) is \(value), but was \(bound) before")
    }
    frame.symbols[symbol] = value
  }

  public func state(_ name: String) throws(Diagnostic) -> Value { try frame.evaluator.state(name) }
  public func setState(_ name: String, _ value: Value) { frame.evaluator.states[name] = value }

  public func quantization(_ name: String) throws(Diagnostic) -> QuantizationParameters {
    guard let parameters = frame.evaluator.module.quantization(name) else {
      throw .invalid("there are no quantization parameters !\(name)")
    }
    return parameters
  }
}

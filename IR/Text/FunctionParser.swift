import Support

/// Reads one function, from its arguments to its closing brace.
struct FunctionParser {
  var reader: Reader
  private(set) var function: Function
  private let module: Module
  private let context: InferenceContext
  private let declared: ModuleParser.DeclaredNames
  /// The values in scope by label.
  private var labels: [Label: ValueID] = [:]
  /// Labels in order of definition, so that those of a region can be taken back.
  private var defined: [Label] = []

  private struct Label: Hashable {
    var name: String
    /// `%0` numbers a value, `%"0"` names it.
    var isNumber: Bool
    var text: String { "%" + (isNumber ? name : MIRName.sigiled(name)) }
  }

  init(
    _ reader: Reader, _ module: Module, _ context: InferenceContext, _ declared: ModuleParser.DeclaredNames,
    _ function: Function
  ) {
    self.reader = reader
    self.module = module
    self.context = context
    self.declared = declared
    self.function = function
  }

  mutating func parse() throws(Diagnostic) {
    for (label, type, place) in try parseArguments() {
      let value = function.addArgument(ValueFact(type), name: label.isNumber ? nil : label.name)
      try define(label, value, at: place)
    }
    let results = try parseResultTypes()
    try reader.cursor.expect(.openBrace, "before the ops of @\(function.name)")
    let place = reader.cursor.location(reader.cursor.token.start)
    let returned = try parseOps(into: function.body, ending: "return")
    guard returned.count == results.count else {
      throw .invalid("@\(function.name) returns \(returned.count) values, not \(results.count)", at: place)
    }
    for (result, (value, offset)) in zip(results, returned) where function.type(value) != result.type {
      throw reader.cursor.error("the value is \(function.type(value)), but \(result.type) is declared", at: offset)
    }
    function.setResults(zip(results, returned).map { (name: $0.name, value: $1.value) })
  }

  /// `(%a: f32[2], %b: i64[])`
  private mutating func parseArguments() throws(Diagnostic) -> [(label: Label, type: ValueType, place: Int)] {
    var arguments: [(label: Label, type: ValueType, place: Int)] = []
    try reader.list(.openParenthesis, .closeParenthesis, "the arguments") { reader throws(Diagnostic) in
      let place = reader.cursor.token.start
      let (name, isNumber) = try reader.cursor.name(.value, "the name of an argument with %")
      try reader.cursor.expect(.colon, "before the type of an argument")
      arguments.append((Label(name: name, isNumber: isNumber), try reader.type(), place))
    }
    return arguments
  }

  /// `-> (%scores: f32[n, 10])`; only entries need names.
  private mutating func parseResultTypes() throws(Diagnostic) -> [(name: String, type: ValueType)] {
    var results: [(name: String, type: ValueType)] = []
    try reader.cursor.expect(.arrow, "before the results of @\(function.name)")
    let isEntry = function.isEntry
    try reader.list(.openParenthesis, .closeParenthesis, "the results") { reader throws(Diagnostic) in
      var name = ""
      if isEntry || reader.cursor.token.kind == .value {
        let start = reader.cursor.token.start
        let label = try reader.cursor.name(.value, "the name of a result with %")
        guard !label.isNumber, !label.name.isEmpty else {
          throw reader.cursor.error("a result has a name, not a number", at: start)
        }
        name = label.name
        try reader.cursor.expect(.colon, "before the type of a result")
      }
      results.append((name, try reader.type()))
    }
    return results
  }

  // MARK: Values

  private mutating func define(_ label: Label, _ value: ValueID, at place: Int) throws(Diagnostic) {
    guard labels[label] == nil else { throw reader.cursor.error("\(label.text) is defined already", at: place) }
    labels[label] = value
    defined.append(label)
  }

  /// `%x`, `@w`.
  private mutating func parseValue() throws(Diagnostic) -> ValueID {
    let place = reader.cursor.token.start
    if reader.cursor.token.kind == .reference {
      let name = try reader.cursor.name(.reference, "a weight").name
      guard let weight = module.weight(name) else {
        let hint = closest(to: name, among: declared.weights).map { "did you mean @\(MIRName.sigiled($0))?" }
        throw reader.cursor.error("there is no weight @\(MIRName.sigiled(name))", at: place, hint: hint)
      }
      return function.weight(name, type: weight.type)
    }
    let (name, isNumber) = try reader.cursor.name(.value, "a value with % or a weight with @")
    let label = Label(name: name, isNumber: isNumber)
    guard let value = labels[label] else {
      let names = labels.keys.filter { !$0.isNumber }.map(\.name)
      let hint = isNumber ? nil : closest(to: name, among: names).map { "did you mean %\(MIRName.sigiled($0))?" }
      throw reader.cursor.error("\(label.text) is not defined here", at: place, hint: hint)
    }
    return value
  }

  // MARK: Ops

  /// Reads ops up to `ending`, and its values.
  private mutating func parseOps(
    into block: BlockID, ending: String
  ) throws(Diagnostic) -> [(value: ValueID, offset: Int)] {
    while !reader.cursor.isWord(ending) {
      guard reader.cursor.token.kind != .mark(.closeBrace), reader.cursor.token.kind != .end else {
        throw reader.cursor.error("expected an op or \(ending), found \(reader.cursor.shown)")
      }
      try parseOp(into: block)
    }
    try reader.cursor.advance()
    var values: [(value: ValueID, offset: Int)] = []
    if reader.cursor.token.kind != .mark(.closeBrace) {
      repeat {
        let offset = reader.cursor.token.start
        values.append((try parseValue(), offset))
      } while try reader.cursor.take(.comma)
    }
    try reader.cursor.expect(.closeBrace, "after \(ending)")
    return values
  }

  private mutating func parseOp(into block: BlockID) throws(Diagnostic) {
    var results: [(label: Label, place: Int)] = []
    if reader.cursor.token.kind == .value {
      repeat {
        let place = reader.cursor.token.start
        let (name, isNumber) = try reader.cursor.name(.value, "the name of a result with %")
        results.append((Label(name: name, isNumber: isNumber), place))
      } while try reader.cursor.take(.comma)
      try reader.cursor.expect(.equals, "between the results and the op")
    }
    let place = reader.cursor.token.start
    let mnemonic = try reader.cursor.word("an op")
    guard var kind = OpRegistry.make(mnemonic) else {
      let hint = closest(to: mnemonic, among: OpRegistry.mnemonics).map { "did you mean \($0)?" }
      throw reader.cursor.error("there is no op \(mnemonic)", at: place, hint: hint)
    }
    let operands = try parseOperands(of: kind)
    try AttributeParser.parse(into: &kind, &reader)
    var context = context
    do throws(Diagnostic) {
      let regions = try parseRegions(of: kind, operands, &context)
      let written = try parseTypes(results.count)
      let guards = try parseGuards()
      let locations = try parseLocations()
      try checkEffects(of: kind)
      let facts = try function.inferResults(of: kind, operands, regions: regions, in: &context)
      try compare(facts, written, mnemonic)
      let id = function.insert(
        kind, operands, results: facts, regions: regions, locations: locations,
        guards: guards + context.guards.filter { !guards.contains($0) }, at: .end(block))
      for ((label, place), value) in zip(results, function[id].results) {
        if !label.isNumber { function.setName(label.name, of: value) }
        try define(label, value, at: place)
      }
    } catch {
      throw error.located(reader.cursor.location(place))
    }
  }

  /// `%a, _, @w`
  private mutating func parseOperands(of kind: any OpKind) throws(Diagnostic) -> [ValueID?] {
    // Without operands to read, a value on the next line is that op's result.
    guard !kind.signature.isEmpty else { return [] }
    var operands: [ValueID?] = []
    switch reader.cursor.token.kind {
    case .value, .reference: break
    default: guard reader.cursor.isWord("_") else { return [] }
    }
    repeat {
      operands.append(try reader.cursor.take(word: "_") ? nil : try parseValue())
    } while try reader.cursor.take(.comma)
    return operands
  }

  private mutating func parseRegions(
    of kind: any OpKind, _ operands: [ValueID?], _ context: inout InferenceContext
  ) throws(Diagnostic) -> [BlockID] {
    let names = kind.regionNames
    if names.isEmpty { return [] }
    let inputs = try function.operandFacts(of: kind, operands)
    var regions: [BlockID] = []
    try reader.enter()
    for (number, name) in names.enumerated() {
      let place = reader.cursor.token.start
      guard try reader.cursor.take(word: name) else {
        throw reader.cursor.error("\(kind.mnemonic): expected its region \(name), found \(reader.cursor.shown)")
      }
      let facts = try kind.regionArguments(inputs, region: number, in: &context)
      let arguments = reader.cursor.token.kind == .mark(.openParenthesis) ? try parseArguments() : []
      guard arguments.count == facts.count else {
        throw reader.cursor.error(
          "\(kind.mnemonic): \(name) has \(facts.count) arguments, but \(arguments.count) are written", at: place)
      }
      let block = function.addBlock()
      let outer = defined.count
      for ((label, type, place), fact) in zip(arguments, facts) {
        guard type == fact.type else {
          throw reader.cursor.error("\(label.text) is \(fact.type), but is written as \(type)", at: place)
        }
        try fact.type.check()
        try define(label, function.addArgument(fact, name: label.isNumber ? nil : label.name, to: block), at: place)
      }
      try reader.cursor.expect(.openBrace, "before the ops of \(name)")
      let yields = try parseOps(into: block, ending: "yield")
      function.setYields(yields.map(\.value), of: block)
      for label in defined[outer...] { labels[label] = nil }
      defined.removeSubrange(outer...)
      regions.append(block)
    }
    reader.leave()
    return regions
  }

  /// The types of the results; `_` takes what the op gives.
  private mutating func parseTypes(_ count: Int) throws(Diagnostic) -> [(type: ValueType?, place: Int)] {
    var types: [(type: ValueType?, place: Int)] = []
    guard count > 0 else { return types }
    try reader.cursor.expect(.colon, "before the type of the result")
    repeat {
      let place = reader.cursor.token.start
      types.append((try reader.cursor.take(word: "_") ? nil : try reader.type(), place))
    } while try reader.cursor.take(.comma)
    guard types.count == count else { throw .invalid("\(count) results have \(types.count) types") }
    return types
  }

  private mutating func parseGuards() throws(Diagnostic) -> [DimGuard] {
    var guards: [DimGuard] = []
    guard try reader.cursor.take(word: "guard") else { return guards }
    try reader.list(.openParenthesis, .closeParenthesis, "the guards") { reader throws(Diagnostic) in
      let left = try reader.dim()
      try reader.cursor.expect(.equal, "between the sides of a guard")
      let guardian = DimGuard(left, try reader.dim())
      if !guards.contains(guardian) { guards.append(guardian) }
    }
    return guards
  }

  private mutating func parseLocations() throws(Diagnostic) -> [String] {
    var locations: [String] = []
    guard try reader.cursor.take(word: "loc") else { return locations }
    repeat { locations.append(try reader.cursor.string("a location")) } while try reader.cursor.take(.comma)
    return locations
  }

  private func checkEffects(of kind: any OpKind) throws(Diagnostic) {
    let effects = kind.effects
    for state in [effects.readsState, effects.writesState].compactMap({ $0 }) where !declared.states.contains(state) {
      let hint = closest(to: state, among: declared.states).map { "did you mean @\(MIRName.sigiled($0))?" }
      throw .invalid("\(kind.mnemonic): there is no state @\(MIRName.sigiled(state))", hint: hint)
    }
  }

  private func compare(
    _ facts: [ValueFact], _ written: [(type: ValueType?, place: Int)], _ mnemonic: String
  ) throws(Diagnostic) {
    guard facts.count == written.count else {
      throw .invalid("\(mnemonic) has \(facts.count) results, but \(written.count) are written")
    }
    for (fact, (type, place)) in zip(facts, written) {
      guard let type, fact.type != type else { continue }
      throw reader.cursor.error("\(mnemonic) gives \(fact.type), but is written as \(type)", at: place)
    }
  }
}

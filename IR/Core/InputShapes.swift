import Support

/// Shapes that somebody gave for the inputs of entries, by `NAME`, which is every entry's input of that name, or by
/// `ENTRY/NAME`, which goes before.
public struct InputShapes: Sendable {
  private let shapes: [String: [Int]]
  private let entries: [(name: String, inputs: [String])]

  public init(_ shapes: [String: [Int]], entries: [(name: String, inputs: [String])]) {
    self.shapes = shapes
    self.entries = entries
  }

  /// What the shape of an input was given as, if it was.
  public func key(for input: String, of entry: String) -> String? {
    let qualified = "\(entry)/\(input)"
    // Names may hold slashes: an input that is called so is not another entry's.
    if shapes[qualified] != nil, !isInput(qualified) { return qualified }
    return shapes[input] != nil ? input : nil
  }

  public func shape(of input: String, of entry: String) -> [Int]? {
    key(for: input, of: entry).flatMap { shapes[$0] }
  }

  /// Refuses shapes of inputs that no entry has.
  public func requireInputs() throws(Diagnostic) {
    var known: Set<String> = []
    for entry in entries {
      for input in entry.inputs { known.formUnion([input, "\(entry.name)/\(input)"]) }
    }
    let unknowns = shapes.keys.filter { !known.contains($0) && !known.contains(InputShapes.list(ofMember: $0) ?? $0) }
    guard let unknown = unknowns.min() else { return }
    throw .usage(
      "--shape \(unknown): there is no such input", hint: choiceHint(for: unknown, among: entries.flatMap(\.inputs)))
  }

  /// `x` of `x.3`, the list of which that is a member.
  public static func list(ofMember name: String) -> String? {
    guard let dot = name.lastIndex(of: "."), Int(name[name.index(after: dot)...]) != nil else { return nil }
    return String(name[..<dot])
  }

  private func isInput(_ name: String) -> Bool { entries.contains { $0.inputs.contains(name) } }
}

extension Module {
  /// The module with the symbols settled that these shapes of inputs settle. What `NAME` settles is settled in all
  /// functions, what `ENTRY/NAME` settles in that entry only.
  public func frozen(to shapes: [String: [Int]]) throws(Diagnostic) -> Module {
    func names(_ function: Function) -> [String] {
      function[function.body].arguments.enumerated().map { function[$1].name ?? "input\($0)" }
    }
    let given = InputShapes(shapes, entries: entries.map { ($0.name, names($0)) })
    try given.requireInputs()
    var everywhere: [String: Int] = [:]
    var inEntry: [String: [String: Int]] = [:]
    for function in entries {
      let inputs = names(function)
      let keys = inputs.map { given.key(for: $0, of: function.name) }
      let all = try settled(function, inputs.map { given.shape(of: $0, of: function.name) }, keys)
      // What follows without the shapes that are this entry's own holds for the others too.
      let common = keys.enumerated().map { $1 == inputs[$0] ? shapes[inputs[$0]] : nil }
      inEntry[function.name] = all
      for (symbol, value) in try settled(function, common, keys) {
        if let known = everywhere.updateValue(value, forKey: symbol), known != value {
          throw .usage("the shapes given make \(symbol) both \(known) and \(value)", hint: "name them ENTRY/NAME")
        }
      }
    }
    return try substituting(everywhere, inEntry)
  }

  /// The symbols that shapes of a function's arguments tell; nil stands for shapes not given.
  private func settled(_ function: Function, _ extents: [[Int]?], _ keys: [String?]) throws(Diagnostic)
    -> [String: Int]
  {
    let arguments = function[function.body].arguments
    func label(_ number: Int) -> String { "--shape \(keys[number] ?? "")" }
    var shapes: [[Dim]?] = []
    for (number, argument) in arguments.enumerated() {
      guard let given = extents[number] else {
        shapes.append(nil)
        continue
      }
      guard let type = function.tensorType(argument), type.rank == given.count else {
        let name = function[argument].name ?? "input\(number)"
        throw .usage("\(label(number)): input \(name) is \(function.type(argument))")
      }
      shapes.append(type.shape)
    }
    let values: [String: Int]
    do throws(Diagnostic) { values = try SymbolEquations(shapes).solve(extents, label: label) } catch {
      throw .usage(error.message)
    }
    for (number, shape) in shapes.enumerated() {
      for (dim, extent) in zip(shape ?? [], extents[number] ?? []) {
        guard let expected = dim.evaluate(values), expected != extent else { continue }
        throw .usage(
          dim.symbolName.map { "\(label(number)): \($0) is both \(expected) and \(extent)" }
            ?? "\(label(number)): an extent is \(expected), not \(extent)",
          hint: entries.count > 1 ? "ENTRY/NAME gives the shape of one entry's input" : nil)
      }
    }
    for symbol in symbols {
      if let value = values[symbol.name], !symbol.range.contains(value) {
        throw .usage("\(symbol.name) is \(value), outside of \(symbol.range.lowerBound)...\(symbol.range.upperBound)")
      }
    }
    return values
  }

  private func substituting(_ everywhere: [String: Int], _ inEntry: [String: [String: Int]]) throws(Diagnostic)
    -> Module
  {
    var result = self
    var gone = Set(symbols.map(\.name))
    for number in functions.indices {
      let own = functions[number].isEntry ? inEntry[functions[number].name] ?? [:] : [:]
      let values = everywhere.merging(own) { _, own in own }
      try result.functions[number].substitute(values.mapValues { Dim($0) })
      gone.formIntersection(values.keys)
    }
    result.replaceSymbols(symbols.filter { !gone.contains($0.name) })
    return result
  }
}

import Support

/// How the extents of an entry's inputs tell the symbols in them: each symbol follows from one extent that is linear in
/// it, everything else in that extent being known by then.
///
///     x: f32[n, 3], y: f32[n * m + 1]      n = x.0, m = (y.0 - 1) / n
///
/// `evaluate` solves by it, and so does the code of an artifact: both take the same models and the same inputs.
public struct SymbolEquations: Sendable {
  /// `extent = factor * symbol + rest`, where factor and rest hold symbols of earlier steps only.
  public struct Step: Sendable {
    public var symbol: String
    public var input: Int
    public var axis: Int
    public var factor: Dim
    public var rest: Dim

    /// Whether the extent is the symbol itself.
    public var isDirect: Bool { factor == 1 && rest == 0 }
  }

  /// In an order in which each needs symbols of those before it only.
  public private(set) var steps: [Step] = []
  /// Symbols in the extents that follow from none of them, sorted.
  public let undetermined: [String]

  /// `shapes` are those of the inputs; nil is an input without one.
  public init(_ shapes: [[Dim]?]) {
    var known: Set<String> = []
    var mentioned: Set<String> = []
    for shape in shapes { for dim in shape ?? [] { mentioned.formUnion(dim.symbols) } }
    // The plain ones come first, then those that no value of another symbol can spoil.
    let wanted: [(Step) -> Bool] = [\.isDirect, { $0.factor.constant != nil }, { _ in true }]
    while let step = SymbolEquations.next(shapes, known, wanted) {
      steps.append(step)
      known.insert(step.symbol)
    }
    undetermined = mentioned.subtracting(known).sorted()
  }

  /// The equations of a function's arguments.
  public init(_ function: Function) {
    self.init(function[function.body].arguments.map { function.tensorType($0)?.shape })
  }

  /// Refuses an entry whose inputs leave a symbol open.
  public func requireAll(of entry: String) throws(Diagnostic) {
    guard let symbol = undetermined.first else { return }
    throw .unsupported("entry @\(entry): \(symbol) follows from no input", hint: "settle it with --shape")
  }

  private static func next(_ shapes: [[Dim]?], _ known: Set<String>, _ wanted: [(Step) -> Bool]) -> Step? {
    var candidates: [Step] = []
    for (input, shape) in shapes.enumerated() {
      for (axis, dim) in (shape ?? []).enumerated() {
        if let step = solve(dim, known, input, axis) { candidates.append(step) }
      }
    }
    for isWanted in wanted { if let step = candidates.first(where: isWanted) { return step } }
    return nil
  }

  private static func solve(_ dim: Dim, _ known: Set<String>, _ input: Int, _ axis: Int) -> Step? {
    let unknown = dim.symbols.subtracting(known)
    guard unknown.count == 1, let symbol = unknown.first else { return nil }
    let rest = dim.substitute([symbol: 0])
    let factor = dim.substitute([symbol: 1]) - rest
    guard factor != 0, rest.symbols.union(factor.symbols).isSubset(of: known),
      dim == Dim(symbol: symbol) * factor + rest
    else { return nil }
    return Step(symbol: symbol, input: input, axis: axis, factor: factor, rest: rest)
  }

  /// The symbols' values under the inputs' extents. `label` names an input in messages.
  public func solve(_ extents: [[Int]?], label: (Int) -> String) throws(Diagnostic) -> [String: Int] {
    var values: [String: Int] = [:]
    for step in steps {
      guard let shape = extents[step.input], shape.indices.contains(step.axis) else { continue }
      let place = "\(label(step.input)): dimension \(step.axis) is \(shape[step.axis])"
      guard let factor = step.factor.evaluate(values), let rest = step.rest.evaluate(values) else {
        // What this needs lies in an input whose extents are not given.
        continue
      }
      guard factor != 0 else { throw .invalid("\(place), from which \(step.symbol) does not follow") }
      let (difference, overflow) = shape[step.axis].subtractingReportingOverflow(rest)
      let value = overflow ? -1 : Dim.floorDivide(difference, factor)
      guard !overflow, value >= 0, Dim.multiply(value, factor) == difference else {
        throw .invalid("\(place), which no \(step.symbol) gives")
      }
      values[step.symbol] = value
    }
    return values
  }
}

import Support

/// Runs its region while the condition holds, at most `trip` times; an absent trip is no limit, an absent condition
/// true.
///
///     %0: i64[]
///     %1: bool[]
///     %2: f32[4]
///     %3, %4 = loop %0, %1, %2 {extent = t} body(%5: i64[], %6: bool[], %7: f32[4]) {
///       %8 = add %7, %7 : f32[4]
///       yield %6, %8, %7
///     } : f32[4], f32[t, 4]
///
/// The region gets the iteration's number, the condition and the carried values; it yields the next condition, the
/// next carried values, and then what each iteration leaves behind. The results are the last carried values and, for
/// each thing left behind, the iterations stacked along a new first axis of `extent`. An `extent` that is one fresh
/// symbol is bound to the number of iterations; any other must equal it. Carried values keep their type.
public struct Loop: OpKind {
  public static let mnemonics = ["loop"]
  public static let operands = [
    OperandSpec("trip", .integer, .optional), OperandSpec("condition", .bool, .optional),
    OperandSpec("carried", .any, .many),
  ]
  public static let regions = ["body"]
  public static var resultCount: Int? { nil }

  /// The number of iterations; of no meaning where nothing is left behind, unless it is a symbol to bind.
  public var extent: Dim = 0

  public init(mnemonic: String) {}
  public init(extent: Dim = 0) { self.extent = extent }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("extent", &extent)
  }

  public func regionArguments(
    _ inputs: [ValueFact], region: Int, in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    // What is known of a carried value before the loop need not hold in its later iterations.
    [ValueFact(.i64, []), ValueFact(.bool, [])] + inputs.dropFirst(2).map { ValueFact($0.type) }
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    if let trip = inputs.present(0), trip.type != .tensor(.i64, []) {
      throw .invalid("loop: the trip count is \(trip.type), expected i64[]")
    }
    if let condition = inputs.present(1), condition.type != .tensor(.bool, []) {
      throw .invalid("loop: the condition is \(condition.type), expected bool[]")
    }
    let body = regions[0]
    let expected = try regionArguments(inputs, region: 0, in: &context)
    guard body.arguments == expected else {
      throw .invalid("loop: the body takes \(body.arguments.map(\.type)), expected \(expected.map(\.type))")
    }
    let carried = expected.dropFirst(2).map(\.type)
    let yields = body.results.map(\.type)
    guard yields.first == .tensor(.bool, []), Array(yields.dropFirst().prefix(carried.count)) == carried else {
      throw .invalid("loop: the body yields \(yields), expected bool[] and then \(carried)")
    }
    var results = carried.map { ValueFact($0) }
    for left in body.results.dropFirst(1 + carried.count) {
      let type = try context.movable(left, "loop")
      results.append(ValueFact(type.with(shape: [extent] + type.shape)))
    }
    try checkExtents([extent], "loop")
    return results
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let trip = try inputs.present(0)?.integers().first ?? Int.max
    var condition = inputs.count > 1 && !inputs[1].isAbsent ? inputs[1] : .tensor(.scalar(1, .bool))
    var carried = Array(inputs.dropFirst(2))
    let stackedTypes = call.resultTypes.dropFirst(carried.count).compactMap(\.tensor)
    var left = stackedTypes.map { _ in [Tensor]() }
    var iteration = 0
    while iteration < trip, try condition.expectTensor().integers().first ?? 0 != 0 {
      let yields = try call.iterate(region: 0, [.tensor(.scalar(iteration)), condition] + carried)
      guard let next = yields.first, yields.count == 1 + carried.count + left.count else {
        throw .bug("loop: the body yields \(yields.count) values")
      }
      condition = next
      for number in left.indices { left[number].append(try yields[1 + carried.count + number].expectTensor()) }
      carried = Array(yields[1..<1 + carried.count])
      iteration += 1
    }
    if let known = call.knownDim(extent) {
      guard known == iteration || left.isEmpty else {
        throw .invalid("loop: it ran \(iteration) times, but \(extent) is \(known)")
      }
    } else if let symbol = extent.symbolName {
      try call.bind(symbol, to: iteration)
    }
    var results = carried
    for (type, parts) in zip(stackedTypes, left) {
      results.append(.tensor(try stackIterations(parts, as: type, call, "loop")))
    }
    return results
  }
}

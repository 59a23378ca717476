import Support

/// Runs its region once for each slice of its scanned operands, and carries states from one time to the next.
///
///     %0: f32[3]
///     %1: f32[3, 5]
///     %2, %3 = scan %0, %1 {states = 1, axes = [1], reversed = [0]} body(%4: f32[3], %5: f32[3]) {
///       %6 = add %4, %5 : f32[3]
///       yield %6, %4
///     } : f32[3], f32[5, 3]
///
/// The first `states` operands are the states at the start. Each other one is walked along its axis in `axes` (the
/// first, where the list is empty), backwards if its number is in `reversed`; all have the same extent there. The
/// region gets the states and a slice of each, without that axis; it yields the next states, and then what each time
/// leaves behind, which is stacked along a new axis of the result, the one in `output_axes`, from the end on if its
/// number is in `output_reversed`. States keep their type.
public struct Scan: OpKind {
  public static let mnemonics = ["scan"]
  public static let operands = [OperandSpec("operands", .any, .many)]
  public static let regions = ["body"]
  public static var resultCount: Int? { nil }

  public var states = 0
  public var axes: [Int] = []
  public var reversed: [Int] = []
  public var outputAxes: [Int] = []
  public var outputReversed: [Int] = []

  public init(mnemonic: String) {}
  public init(
    states: Int, axes: [Int] = [], reversed: [Int] = [], outputAxes: [Int] = [], outputReversed: [Int] = []
  ) {
    self.states = states
    self.axes = axes
    self.reversed = reversed
    self.outputAxes = outputAxes
    self.outputReversed = outputReversed
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("states", &states)
    try visitor.ints("axes", &axes)
    try visitor.ints("reversed", &reversed)
    try visitor.ints("output_axes", &outputAxes)
    try visitor.ints("output_reversed", &outputReversed)
  }

  public func regionArguments(
    _ inputs: [ValueFact], region: Int, in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard states >= 0, states < inputs.count else {
      throw .invalid("scan: of its \(inputs.count) operands \(states) are states, and one must be left to scan")
    }
    // What is known of a state before the first time need not hold later.
    var arguments = inputs.prefix(states).map { ValueFact($0.type) }
    for (number, input) in inputs.dropFirst(states).enumerated() {
      let type = try context.movable(input, "scan")
      var shape = type.shape
      shape.remove(at: try axis(number, of: axes, inputs.count - states, rank: type.rank))
      arguments.append(ValueFact(type.with(shape: shape)))
    }
    return arguments
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let body = regions[0]
    let expected = try regionArguments(inputs, region: 0, in: &context)
    guard body.arguments == expected else {
      throw .invalid("scan: the body takes \(body.arguments.map(\.type)), expected \(expected.map(\.type))")
    }
    let carried = expected.prefix(states).map(\.type)
    guard Array(body.results.prefix(states).map(\.type)) == carried else {
      throw .invalid("scan: the body yields \(body.results.map(\.type)), expected \(carried) first")
    }
    let scanned = try inputs.dropFirst(states).map { input throws(Diagnostic) in try input.tensor("scan") }
    let extent = scanned[0].shape[try axis(0, of: axes, scanned.count, rank: scanned[0].rank)]
    for (number, type) in scanned.enumerated().dropFirst() {
      let other = type.shape[try axis(number, of: axes, scanned.count, rank: type.rank)]
      try context.require(other, equals: extent, "scan: operands are scanned along different extents")
    }
    try check(reversed, below: scanned.count)
    let count = body.results.count - states
    try check(outputReversed, below: count)
    guard outputAxes.isEmpty || outputAxes.count == count else {
      throw .invalid("scan: \(outputAxes.count) axes are given for \(count) stacked results")
    }
    var results = carried.map { ValueFact($0) }
    for (number, left) in body.results.dropFirst(states).enumerated() {
      let type = try context.movable(left, "scan")
      var shape = type.shape
      shape.insert(extent, at: try axis(number, of: outputAxes, count, rank: type.rank + 1))
      results.append(ValueFact(type.with(shape: shape)))
    }
    return results
  }

  /// The axis of scanned operand or stacked result `number`.
  public func axis(_ number: Int, of list: [Int], _ count: Int, rank: Int) throws(Diagnostic) -> Int {
    guard list.isEmpty || list.count == count else {
      throw .invalid("scan: \(list.count) axes are given for \(count) operands")
    }
    return try normalized(axis: list.isEmpty ? 0 : list[number], rank: rank, "scan")
  }

  private func check(_ numbers: [Int], below count: Int) throws(Diagnostic) {
    for number in numbers where number < 0 || number >= count {
      throw .invalid("scan: \(number) is to be reversed, of \(count)")
    }
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let scanned = try inputs.dropFirst(states).map { input throws(Diagnostic) in try input.expectTensor() }
    var axes: [Int] = []
    for (number, tensor) in scanned.enumerated() {
      axes.append(try axis(number, of: self.axes, scanned.count, rank: tensor.shape.count))
    }
    let extent = scanned[0].shape[axes[0]]
    for (tensor, axis) in zip(scanned, axes) where tensor.shape[axis] != extent {
      throw .invalid("scan: operands are scanned along \(extent) and \(tensor.shape[axis]) elements")
    }
    var carried = Array(inputs.prefix(states))
    let types = call.resultTypes.dropFirst(states).compactMap(\.tensor)
    var left = types.map { _ in [Tensor]() }
    for iteration in 0..<extent {
      var slices: [Value] = []
      for (number, tensor) in scanned.enumerated() {
        let place = reversed.contains(number) ? extent - 1 - iteration : iteration
        slices.append(.tensor(tensor.slice(axis: axes[number], at: place)))
      }
      let yields = try call.iterate(region: 0, carried + slices)
      guard yields.count == states + left.count else { throw .bug("scan: the body yields \(yields.count) values") }
      carried = Array(yields.prefix(states))
      for number in left.indices { left[number].append(try yields[states + number].expectTensor()) }
    }
    var results = carried
    for (number, type) in types.enumerated() {
      let axis = try axis(number, of: outputAxes, types.count, rank: type.rank)
      var shape = type.shape
      shape.insert(shape.remove(at: axis), at: 0)
      let parts = outputReversed.contains(number) ? Array(left[number].reversed()) : left[number]
      let stacked = try stackIterations(parts, as: type.with(shape: shape), call, "scan")
      results.append(.tensor(stacked.movingFirstAxis(to: axis)))
    }
    return results
  }
}

extension Tensor {
  /// The part at one place of an axis, without the axis.
  fileprivate func slice(axis: Int, at place: Int) -> Tensor {
    var (shape, strides) = (self.shape, rowMajorStrides(self.shape))
    shape.remove(at: axis)
    let step = strides.remove(at: axis)
    return gathered(shape, strides: strides, offset: place * step)
  }

  fileprivate func movingFirstAxis(to axis: Int) -> Tensor {
    guard axis > 0 else { return self }
    var (shape, strides) = (self.shape, rowMajorStrides(self.shape))
    shape.insert(shape.remove(at: 0), at: axis)
    strides.insert(strides.remove(at: 0), at: axis)
    return gathered(shape, strides: strides)
  }
}

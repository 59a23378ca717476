import Support

/// Combines the elements along `axes` (all of them when empty): `reduce_sum`, `reduce_mean`, `reduce_max`,
/// `reduce_min`, `reduce_prod`.
///
///     %0: f32[8, 64, 128]
///     %1 = reduce_mean %0 {axes = [1, 2], keep_dims = true} : f32[8, 1, 1]
///
/// Floats accumulate in f64, integers wrap; an integer mean rounds towards zero. The maximum and minimum propagate NaN
/// and serve as any and all on bools. Of no elements the sum is 0, the product 1, a float mean NaN, and the maximum and
/// minimum are the least and greatest value of the type.
public struct Reduce: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case sum = "reduce_sum"
    case mean = "reduce_mean"
    case max = "reduce_max"
    case min = "reduce_min"
    case prod = "reduce_prod"
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("x", .tensor)]

  public var function: Function
  /// Negative axes count from the end.
  public var axes: [Int] = []
  public var keepDims = false
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .sum }
  public init(_ function: Function, axes: [Int] = [], keepDims: Bool = false) {
    self.function = function
    self.axes = axes
    self.keepDims = keepDims
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("axes", &axes)
    try visitor.bool("keep_dims", &keepDims)
  }

  private func takes(_ element: ElementType) -> Bool {
    element.isFloat || element.isInteger || (element == .bool && (function == .max || function == .min))
  }

  /// Which axes of `rank` are reduced.
  public func reducedAxes(rank: Int) throws(Diagnostic) -> [Bool] {
    if axes.isEmpty { return Array(repeating: true, count: rank) }
    var result = [Bool](repeating: false, count: rank)
    for axis in axes {
      let axis = try normalized(axis: axis, rank: rank, mnemonic)
      guard !result[axis] else { throw .invalid("\(mnemonic): axis \(axis) is listed twice in \(axes)") }
      result[axis] = true
    }
    return result
  }

  private func resultShape<Extent: ExpressibleByIntegerLiteral>(_ shape: [Extent], _ reduced: [Bool]) -> [Extent] {
    var result: [Extent] = []
    for (extent, gone) in zip(shape, reduced) {
      if !gone { result.append(extent) } else if keepDims { result.append(1) }
    }
    return result
  }

  /// Strides of the result along the axes of the operand: 0 along reduced ones.
  private func resultStrides(_ shape: [Int], _ reduced: [Bool]) -> [Int] {
    let kept = rowMajorStrides(shape.indices.map { reduced[$0] ? 1 : shape[$0] })
    return shape.indices.map { reduced[$0] ? 0 : kept[$0] }
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense(mnemonic)
    guard let element = type.plain, takes(element) else { throw .invalid("\(mnemonic): cannot take \(type)") }
    let reduced = try reducedAxes(rank: type.rank)
    let result = type.with(shape: resultShape(type.shape, reduced))
    guard function == .sum || function == .prod, let known = inputs[0].known, let shape = result.constantShape,
      countSaturating(shape) <= ValueFact.limit
    else { return [ValueFact(result)] }
    var elements = [Dim](repeating: function == .sum ? 0 : 1, count: countSaturating(shape))
    for (i, position) in stridedPositions(known.shape, strides: resultStrides(known.shape, reduced)).enumerated() {
      let (sum, element) = (elements[position], known.elements[i])
      elements[position] = function == .sum ? sum + element : sum * element
    }
    return [ValueFact(result, holding: elements.allSatisfy(\.isExact) ? elements : nil)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage, takes(element) else { throw .bug("\(mnemonic): cannot take \(x.type)") }
    let reduced = try reducedAxes(rank: x.shape.count)
    let shape = resultShape(x.shape, reduced)
    try checkAllocatable(shape, mnemonic)
    let positions = stridedPositions(x.shape, strides: resultStrides(x.shape, reduced))
    let count = shape.indices.isEmpty ? 1 : shape.reduce(1, *)
    var perResult = 1
    for axis in x.shape.indices where reduced[axis] { perResult *= x.shape[axis] }
    if element.isFloat {
      let sums = combine(x.doubles(), positions, count: count)
      let result = function == .mean ? sums.map { $0 / Double(perResult) } : sums
      return [.tensor(Tensor(element, shape, doubles: result))]
    }
    if function == .mean, perResult == 0, count > 0 { throw .invalid("integer division by zero") }
    let sums = try combine(x.integers(), positions, count: count, element)
    if function != .mean { return [.tensor(Tensor(element, shape, integers: sums))] }
    let arithmetic = IntegerArithmetic(element)
    var result = sums
    for i in result.indices { result[i] = try arithmetic.apply(.div, result[i], perResult) }
    return [.tensor(Tensor(element, shape, integers: result))]
  }

  private func combine(_ values: [Double], _ positions: [Int], count: Int) -> [Double] {
    let initial: Double =
      switch function {
      case .sum, .mean: 0
      case .prod: 1
      case .max: -.infinity
      case .min: .infinity
      }
    var result = [Double](repeating: initial, count: count)
    switch function {
    case .sum, .mean: for i in values.indices { result[positions[i]] += values[i] }
    case .prod: for i in values.indices { result[positions[i]] *= values[i] }
    case .max:
      for i in values.indices { result[positions[i]] = Binary.Function.maximum.apply(result[positions[i]], values[i]) }
    case .min:
      for i in values.indices { result[positions[i]] = Binary.Function.minimum.apply(result[positions[i]], values[i]) }
    }
    return result
  }

  private func combine(
    _ values: [Int], _ positions: [Int], count: Int, _ element: ElementType
  ) throws(Diagnostic) -> [Int] {
    let range = element.integerRange ?? 0...0
    let (initial, step): (Int, Binary.Function) =
      switch function {
      case .sum, .mean: (0, .add)
      case .prod: (1, .mul)
      case .max: (range.lowerBound, .maximum)
      case .min: (element == .u64 ? -1 : range.upperBound, .minimum)
      }
    let arithmetic = IntegerArithmetic(element)
    var result = [Int](repeating: initial, count: count)
    for i in values.indices { result[positions[i]] = try arithmetic.apply(step, result[positions[i]], values[i]) }
    return result
  }
}

import Support

/// `x` stretched or shrunk to `shape`, one axis after the other.
///
///     %0: f32[1, 32, 32, 3]
///     %1 = resize %0 {shape = [1, 64, 48, 3], mode = linear} : f32[1, 64, 48, 3]
///
/// Axes whose extent stays as it is are left alone, unless `scales` or `region` say otherwise. `coordinates` says which
/// place of `x` stands for a place of the result: it depends on `scales`, one an axis, where 0 or an empty list mean
/// the ratio of the extents, and for `tf_crop_and_resize` on `region`, the starts of all axes and then the ends, from 0
/// to 1. What lies outside of `x` has then the value `extrapolation`. Both may be operands instead, as vectors. Results
/// are rounded once at the end: integers to nearest, ties to even, saturating.
public struct Resize: OpKind {
  public static let mnemonics = ["resize"]
  public static let operands = [
    OperandSpec("x", .number), OperandSpec("scales", .float, .optional), OperandSpec("region", .float, .optional),
  ]

  public var shape: [Dim] = []
  public var scales: [Double] = []
  public var region: [Double] = []
  public var rule = ResampleRule()
  public var extrapolation = 0.0

  public init(mnemonic: String) {}
  public init(
    shape: [Dim], scales: [Double] = [], region: [Double] = [], rule: ResampleRule = ResampleRule(),
    extrapolation: Double = 0
  ) {
    self.shape = shape
    self.scales = scales
    self.region = region
    self.rule = rule
    self.extrapolation = extrapolation
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dims("shape", &shape)
    try floats("scales", &scales, &visitor)
    try floats("region", &region, &visitor)
    try visitor.choice("mode", &rule.mode)
    try visitor.choice("coordinates", &rule.coordinates)
    try visitor.choice("rounding", &rule.rounding)
    try visitor.float("cubic_coefficient", &rule.cubicCoefficient)
    try visitor.bool("exclude_outside", &rule.excludeOutside)
    try visitor.bool("antialias", &rule.antialias)
    try visitor.float("extrapolation", &extrapolation)
  }

  /// A list of floats is a small tensor.
  private func floats(
    _ name: String, _ value: inout [Double], _ visitor: inout some AttributeVisitor
  ) throws(Diagnostic) {
    var tensor: Tensor? = value.isEmpty ? nil : Tensor(.f64, [value.count], doubles: value)
    try visitor.tensor(name, &tensor)
    guard tensor?.element.plain?.isFloat ?? true else { throw .invalid("resize: \(name) are no floats") }
    value = tensor?.doubles() ?? []
  }

  /// One axis to resample. Where an operand gives the scale or the region, only the run knows them.
  public struct Step: Sendable {
    public let axis: Int
    public let scale: Double
    public let region: (start: Double, end: Double)
  }

  /// The axes that are resampled, with their scales (0 for the ratio) and regions.
  public func axes(_ x: [Dim], isComputed: Bool) -> [Step] {
    var result: [Step] = []
    for axis in x.indices where axis < shape.count {
      let scale = axis < scales.count ? scales[axis] : 0
      let hasRegion = rule.coordinates == .cropAndResize && region.count == 2 * x.count
      let span = hasRegion ? (region[axis], region[axis + x.count]) : (0.0, 1.0)
      let isWhole = abs(span.0) < 1e-9 && abs(span.1 - 1) < 1e-9
      if !isComputed, shape[axis] == x[axis], scale == 0 || abs(scale - 1) < 1e-9, isWhole { continue }
      result.append(Step(axis: axis, scale: scale, region: span))
    }
    return result
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("resize")
    guard shape.count == type.rank else { throw .invalid("resize: \(type) takes \(type.rank) extents, not \(shape)") }
    try checkExtents(shape, "resize")
    guard scales.isEmpty || scales.count == type.rank, scales.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw .invalid("resize: scales \(scales) are not \(type.rank) numbers that are not negative")
    }
    guard region.isEmpty || region.count == 2 * type.rank, region.allSatisfy(\.isFinite) else {
      throw .invalid("resize: region \(region) is not \(2 * type.rank) numbers")
    }
    guard !rule.antialias || rule.mode != .nearest else { throw .invalid("resize: nearest takes no antialias") }
    for (number, count) in [(1, type.rank), (2, 2 * type.rank)] {
      guard let fact = inputs.present(number) else { continue }
      let given = try fact.dense("resize")
      guard given.shape == [Dim(count)], given.plain == .f32 || given.plain == .f64 else {
        throw .invalid("resize: \(Self.operands[number].name) is \(given), expected \(count) numbers of f32 or f64")
      }
    }
    guard inputs.present(1) == nil || scales.isEmpty, inputs.present(2) == nil || region.isEmpty else {
      throw .invalid("resize: scales or region are given twice")
    }
    for step in axes(type.shape, isComputed: inputs.present(1) != nil) {
      let (axis, scale) = (step.axis, step.scale)
      guard let extent = type.shape[axis].constant, let count = shape[axis].constant else { continue }
      guard extent > 0 || count == 0 else {
        throw .invalid("resize: axis \(axis) of \(type) is empty, but \(count) elements are asked for")
      }
      if count > 0, inputs.present(1) == nil {
        _ = try rule.taps(scale: scale > 0 ? scale : Double(count) / Double(extent))
      }
    }
    return [ValueFact(type.with(shape: shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage else { throw .bug("resize: cannot take \(x.type)") }
    let result = try call.shape(shape, "resize")
    if result.contains(0) { return [.tensor(Tensor(element, result, doubles: []))] }
    // Integers are picked by number, as an f64 does not hold all of them.
    let picks = rule.mode == .nearest && !element.isFloat
    var values = picks ? (0..<x.count).map(Double.init) : x.doubles()
    var extents = x.shape
    var known = self
    known.shape = result.map { Dim($0) }
    if let given = try inputs.present(1) { known.scales = given.doubles() }
    if let given = try inputs.present(2) { known.region = given.doubles() }
    for step in known.axes(x.type.shape, isComputed: false) {
      let axis = step.axis
      guard step.scale >= 0, step.scale.isFinite, step.region.start.isFinite, step.region.end.isFinite else {
        throw .invalid("resize: the scale \(step.scale) or the region of axis \(axis) is no number that makes sense")
      }
      let resampled = try ResampleAxis(
        rule, extent: extents[axis], count: result[axis], scale: step.scale, region: step.region)
      var next = extents
      next[axis] = result[axis]
      try checkAllocatable(next, "resize")
      values = resampled.apply(
        values, outer: extents[..<axis].reduce(1, *), inner: extents[(axis + 1)...].reduce(1, *),
        outside: picks ? -1 : extrapolation)
      extents = next
    }
    guard extents == result else { throw .bug("resize: \(x.shape) became \(extents), not \(result)") }
    if picks {
      let outside = Tensor(element, [1], doubles: Resize.saturated([extrapolation.rounded(.toNearestOrEven)], element))
      let (numbers, other) = (x.integers(), outside.integers()[0])
      return [.tensor(Tensor(element, result, integers: values.map { $0 < 0 ? other : numbers[Int($0)] }))]
    }
    if !element.isFloat { values = values.map { $0.rounded(.toNearestOrEven) } }
    return [.tensor(Tensor(element, result, doubles: Resize.saturated(values, element)))]
  }

  /// Numbers that an integer type holds.
  private static func saturated(_ values: [Double], _ element: ElementType) -> [Double] {
    guard let range = element.integerRange, element.bits < 64 else { return values }
    return values.map { $0.isNaN ? 0 : min(max($0, Double(range.lowerBound)), Double(range.upperBound)) }
  }
}

import Support

/// Images put together from the parts under a sliding window, which are added where they overlap: `x` is
/// `[N, C * window..., places]`, the result `[N, C, spatial...]`.
///
///     %0: f32[1, 27, 36]
///     %1 = fold %0 {spatial = [6, 6], window = [3, 3], padding = [1, 1, 1, 1]} : f32[1, 3, 6, 6]
public struct Fold: OpKind {
  public static let mnemonics = ["fold"]
  public static let operands = [OperandSpec("x", .number)]

  public var spatial: [Dim] = []
  public var window: [Int] = []
  public var strides: [Int] = []
  public var padding: [Int] = []
  public var dilations: [Int] = []

  public init(mnemonic: String) {}
  public init(spatial: [Dim], window: [Int], strides: [Int], padding: [Int], dilations: [Int]) {
    self.spatial = spatial
    self.window = window
    self.strides = strides
    self.padding = padding
    self.dilations = dilations
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dims("spatial", &spatial)
    try visitor.ints("window", &window)
    try visitor.ints("strides", &strides)
    try visitor.ints("padding", &padding)
    try visitor.ints("dilations", &dilations)
  }

  public var geometry: WindowGeometry {
    get throws(Diagnostic) {
      try WindowGeometry("fold", window: window, strides: strides, padding: padding, dilations: dilations)
    }
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("fold")
    let geometry = try geometry
    guard type.rank == 3, spatial.count == window.count else {
      throw .invalid("fold: \(type) does not fold to \(spatial) by a window of \(window)")
    }
    try checkExtents(spatial, "fold")
    let size = Dim(try geometry.boundedTaps())
    guard let channels = type.shape[1].exactlyDivided(by: size) else {
      throw .invalid("fold: \(type.shape[1]) rows do not divide into windows of \(window)")
    }
    let places = try geometry.extents(spatial).reduce(Dim(1), *)
    try context.require(type.shape[2], equals: places, "fold: \(type) has not the places of \(spatial)")
    return [ValueFact(type.with(shape: [type.shape[0], channels] + spatial))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage, x.shape.count == 3 else { throw .bug("fold: cannot take \(x.type)") }
    let image = try call.shape(spatial, "fold")
    let geometry = try geometry
    let places = try allocatable(try geometry.extents(image.map { Dim($0) }), "fold")
    let size = window.reduce(1, *)
    guard x.shape[1] % size == 0, x.shape[2] == places.reduce(1, *) else {
      throw .invalid("fold: \(x.shape) has not the places of \(image)")
    }
    let shape = [x.shape[0], x.shape[1] / size] + image
    try checkAllocatable(shape, "fold")
    // Where in the image a tap of a place lies, or nil outside.
    let (strides, taps, columns) = (rowMajorStrides(image), rowMajorStrides(window), rowMajorStrides(places))
    func position(_ tap: Int, _ place: Int) -> Int? {
      var sum = 0
      for axis in image.indices {
        let at =
          place / columns[axis] % places[axis] * geometry.strides[axis] - geometry.before[axis]
          + tap / taps[axis] % window[axis] * geometry.dilations[axis]
        guard at >= 0, at < image[axis] else { return nil }
        sum += at * strides[axis]
      }
      return sum
    }
    let pixels = image.reduce(1, *)
    let (reals, integers) = (element.isFloat ? x.doubles() : [], element.isFloat ? [] : x.integers())
    var sums = [Double](repeating: 0, count: element.isFloat ? shape.reduce(1, *) : 0)
    var totals = [Int](repeating: 0, count: element.isFloat ? 0 : shape.reduce(1, *))
    for row in 0..<(x.shape[2] == 0 ? 0 : x.shape[0] * x.shape[1]) {
      for place in 0..<x.shape[2] {
        guard let at = position(row % size, place) else { continue }
        let goal = row / size * pixels + at
        if element.isFloat {
          sums[goal] += reals[row * x.shape[2] + place]
        } else {
          totals[goal] &+= integers[row * x.shape[2] + place]
        }
      }
    }
    return [
      .tensor(
        element.isFloat
          ? Tensor(element, shape, doubles: sums) : Tensor(element, shape, integers: totals))
    ]
  }
}

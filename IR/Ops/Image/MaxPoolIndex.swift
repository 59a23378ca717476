import Support

/// Where in an image the greatest element under each window stands: its row-major number among the spatial axes of
/// `[N, spatial..., C]`, of equal ones the first.
///
///     %0: f32[1, 56, 56, 64]
///     %1 = max_pool_index %0 {window = [3, 3], strides = [2, 2], padding = [1, 1, 1, 1]} : i64[1, 28, 28, 64]
///
/// Windows are those of `max_pool`. One that meets no element, or none but NaN, gives the place of the first element
/// it meets, or 0.
public struct MaxPoolIndex: OpKind {
  public static let mnemonics = ["max_pool_index"]
  public static let operands = [OperandSpec("x", .number)]

  public var pool = Pool(.max, window: [])

  public init(mnemonic: String) {}
  public init(_ pool: Pool) { self.pool = pool }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("window", &pool.window)
    try visitor.ints("strides", &pool.strides)
    try visitor.ints("padding", &pool.padding)
    try visitor.ints("dilations", &pool.dilations)
    try visitor.bool("ceil_mode", &pool.ceilMode)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    _ = try pool.geometry.boundedTaps()
    let pooled = try pool.inferTypes([inputs[0]], regions: [], in: &context)[0]
    return [ValueFact(.i64, try pooled.tensor("max_pool_index").shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let geometry = try pool.geometry
    let extents = try geometry.extents(Array(x.type.shape[1..<x.shape.count - 1]), ceil: pool.ceilMode)
    let shape = try allocatable([Dim(x.shape[0])] + extents + [Dim(x.shape[x.shape.count - 1])], "max_pool_index")
    if shape.contains(0) { return [.tensor(Tensor(.i64, shape, integers: []))] }
    let (spatial, places) = (Array(x.shape[1..<x.shape.count - 1]), Array(shape[1..<shape.count - 1]))
    let (strides, columns) = (rowMajorStrides(spatial), rowMajorStrides(places))
    let (channels, values) = (x.shape[x.shape.count - 1], x.doubles())
    let windows = rowMajorStrides(geometry.window)
    let (pixels, count) = (spatial.reduce(1, *), places.reduce(1, *))
    var result = [Int](repeating: 0, count: shape.reduce(1, *))
    for point in 0..<shape[0] * count {
      // The pixels under the window, in order.
      var under: [Int] = []
      for tap in 0..<geometry.window.reduce(1, *) {
        var sum: Int? = 0
        for axis in spatial.indices {
          let start = point % count / columns[axis] % places[axis] * geometry.strides[axis] - geometry.before[axis]
          let at = start + tap / windows[axis] % geometry.window[axis] * geometry.dilations[axis]
          sum = at >= 0 && at < spatial[axis] ? sum.map { $0 + at * strides[axis] } : nil
        }
        if let sum { under.append(sum) }
      }
      let base = point / count * pixels
      for c in 0..<channels {
        guard var best = under.first else { continue }
        for pixel in under where values[(base + pixel) * channels + c] > values[(base + best) * channels + c] {
          best = pixel
        }
        result[point * channels + c] = best
      }
    }
    return [.tensor(Tensor(.i64, shape, integers: result))]
  }
}

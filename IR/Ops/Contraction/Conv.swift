import Support

/// Convolution (cross-correlation) of `x` `[N, spatial..., C]` with filters `w` `[O, kernel..., C / groups]`, over one
/// to three spatial axes; `bias` is `[O]`.
///
///     %0: f32[1, 56, 56, 64]
///     %1: f32[32, 3, 3, 64]
///     %2: f32[32]
///     %3 = conv %0, %1, %2 {strides = [2, 2], padding = [1, 1, 1, 1]} : f32[1, 28, 28, 32]
///
/// `padding` lists the starts of all axes, then the ends; what it adds contributes zero. Empty lists are ones (strides,
/// dilations) or zeros (padding). Element types are those of `matmul`. With `kernel` given, `w` is the matrix
/// `[kernel * C / groups, O]` instead, as packed filters are.
public struct Conv: OpKind {
  public static let mnemonics = ["conv"]
  public static let operands = [
    OperandSpec("x", .number), OperandSpec("w", .number), OperandSpec("bias", .number, .optional),
  ]

  public var strides: [Int] = []
  public var padding: [Int] = []
  public var dilations: [Int] = []
  public var groups = 1
  public var kernel: [Int] = []

  public init(mnemonic: String) {}
  public init(
    strides: [Int] = [], padding: [Int] = [], dilations: [Int] = [], groups: Int = 1, kernel: [Int] = []
  ) {
    self.strides = strides
    self.padding = padding
    self.dilations = dilations
    self.groups = groups
    self.kernel = kernel
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("strides", &strides)
    try visitor.ints("padding", &padding)
    try visitor.ints("dilations", &dilations)
    try visitor.int("groups", &groups)
    try visitor.ints("kernel", &kernel)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let x = try inputs[0].dense("conv")
    let w = try contractionWeights(inputs[1], "conv")
    if w.layout != nil, kernel.isEmpty {
      throw .invalid("conv: the filters are packed (\(w)), so kernel must be given")
    }
    let element = try contractionElement(x, w, "conv")
    let geometry = try geometry(x: x.shape, w: w.shape)
    let shape = try resultShape(x.shape, w.shape, geometry, &context)
    if let bias = try inputs.present(2)?.dense("conv") {
      guard bias.plain == element, bias.rank == 1 else {
        throw .invalid("conv: the bias is \(bias), expected \(element)[\(shape[shape.count - 1])]")
      }
      try context.require(
        bias.shape[0], equals: shape[shape.count - 1], "conv: the bias has another extent than the filters")
    }
    return [ValueFact(element, shape)]
  }

  /// The window over `x`, for code that reads the attributes.
  public func geometry(x: [Dim], w: [Dim]) throws(Diagnostic) -> WindowGeometry {
    let spatial = x.count - 2
    guard (1...3).contains(spatial) else { throw .invalid("conv: x has shape \(x), expected 3 to 5 axes") }
    var window = kernel
    if window.isEmpty {
      guard w.count == spatial + 2 else { throw .invalid("conv: filters of shape \(w) do not fit x of shape \(x)") }
      for dim in w[1...spatial] {
        guard let extent = dim.constant else { throw .unsupported("conv: the kernel extent \(dim) is not constant") }
        window.append(extent)
      }
    } else {
      guard w.count == 2, window.count == spatial else {
        throw .invalid("conv: with kernel \(kernel), filters of shape \(w) are no matrix for x of shape \(x)")
      }
    }
    return try WindowGeometry("conv", window: window, strides: strides, padding: padding, dilations: dilations)
  }

  private func resultShape(
    _ x: [Dim], _ w: [Dim], _ geometry: WindowGeometry, _ context: inout InferenceContext
  ) throws(Diagnostic) -> [Dim] {
    guard groups >= 1 else { throw .invalid("conv: groups is \(groups)") }
    let channels = x[x.count - 1]
    let filters = kernel.isEmpty ? w[0] : w[1]
    if kernel.isEmpty {
      try context.require(
        w[w.count - 1] * groups, equals: channels, "conv: the filters of shape \(w) do not take the channels of x \(x)")
    } else {
      var taps = 1
      for extent in kernel { taps = Dim.multiply(taps, extent) }
      try context.require(
        w[0] * groups, equals: channels * taps, "conv: the filters of shape \(w) do not take the channels of x \(x)")
    }
    if groups > 1 {
      guard let count = filters.constant, count % groups == 0 else {
        throw .invalid("conv: \(filters) filters do not divide into \(groups) groups")
      }
    }
    return [x[0]] + (try geometry.extents(Array(x[1..<x.count - 1]))) + [filters]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    var w = try inputs[1].expectTensor()
    let element = try contractionElement(x.type, w.type, "conv")
    var context = InferenceContext()
    let geometry = try geometry(x: x.type.shape, w: w.type.shape)
    let shape = try allocatable(try resultShape(x.type.shape, w.type.shape, geometry, &context), "conv")
    if kernel.isEmpty, w.count > 0 {
      // As the matrix [kernel * C / groups, O], whose rows the inner loop reads one after the other.
      let rows = w.count / w.shape[0]
      w = w.gathered([rows, w.shape[0]], strides: [1, rows])
    }
    let sums = convolve(x, w.doubles(), shape, geometry)
    return [try contractionResult(sums, shape, element, bias: try inputs.present(2), "conv")]
  }

  private func convolve(
    _ x: Tensor, _ weights: [Double], _ shape: [Int], _ geometry: WindowGeometry
  ) -> [Double] {
    let (channels, filters) = (x.shape[x.shape.count - 1], shape[shape.count - 1])
    let (channelsPerGroup, filtersPerGroup) = (channels / groups, filters / groups)
    let values = x.doubles()
    var sums = [Double](repeating: 0, count: shape.reduce(1, *))
    if sums.isEmpty || values.isEmpty || weights.isEmpty { return sums }
    values.withUnsafeBufferPointer { values in
      weights.withUnsafeBufferPointer { weights in
        sums.withUnsafeMutableBufferPointer { sums in
          guard let values = values.baseAddress, let weights = weights.baseAddress, let sums = sums.baseAddress else {
            return
          }
          geometry.slide(over: x.shape, to: shape) { result, pixel, element in
            let out = sums + result * filters
            let pixel = values + pixel * channels
            let filter = weights + element * channelsPerGroup * filters
            if channelsPerGroup == 1, filtersPerGroup == 1 {
              for c in 0..<filters { out[c] += pixel[c] * filter[c] }
            } else {
              for group in 0..<groups {
                accumulate(
                  out + group * filtersPerGroup, columns: filtersPerGroup, pixel + group * channelsPerGroup,
                  count: channelsPerGroup, filter + group * filtersPerGroup, stride: filters)
              }
            }
          }
        }
      }
    }
    return sums
  }
}

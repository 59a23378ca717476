import Support

/// The transpose of a convolution: each element of `x` `[N, spatial..., C]` adds a multiple of its channel's filters
/// `w` `[C, kernel..., O / groups]` to the result, `strides` apart. `bias` is `[O]`.
///
///     %0: f32[1, 28, 28, 32]
///     %1: f32[32, 4, 4, 16]
///     %2: f32[16]
///     %3 = conv_transpose %0, %1, %2 {strides = [2, 2], padding = [1, 1, 1, 1]} : f32[1, 56, 56, 16]
///
/// `padding` lists the starts of all axes, then the ends; it is what the result loses there, while `extra` is what it
/// gains at the end of each axis. Empty lists are ones (strides, dilations) or zeros (padding, extra).
public struct ConvTranspose: OpKind {
  public static let mnemonics = ["conv_transpose"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("w", .float), OperandSpec("bias", .float, .optional),
  ]

  public var strides: [Int] = []
  public var padding: [Int] = []
  public var dilations: [Int] = []
  public var extra: [Int] = []
  public var groups = 1

  public init(mnemonic: String) {}
  public init(
    strides: [Int] = [], padding: [Int] = [], dilations: [Int] = [], extra: [Int] = [], groups: Int = 1
  ) {
    self.strides = strides
    self.padding = padding
    self.dilations = dilations
    self.extra = extra
    self.groups = groups
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("strides", &strides)
    try visitor.ints("padding", &padding)
    try visitor.ints("dilations", &dilations)
    try visitor.ints("extra", &extra)
    try visitor.int("groups", &groups)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let x = try inputs[0].dense("conv_transpose")
    let w = try inputs[1].dense("conv_transpose")
    guard x.plain == w.plain else { throw .invalid("conv_transpose: cannot multiply \(x) and \(w)") }
    let shape = try resultShape(x.shape, w.shape, &context)
    if let bias = try inputs.present(2)?.dense("conv_transpose") {
      guard bias.plain == x.plain, bias.rank == 1 else {
        throw .invalid("conv_transpose: the bias is \(bias), expected one number a channel of the result")
      }
      try context.require(
        bias.shape[0], equals: shape[shape.count - 1], "conv_transpose: the bias has another extent than the result")
    }
    return [ValueFact(x.with(shape: shape))]
  }

  /// The window over the result, for code that reads the attributes.
  public func geometry(w: [Dim]) throws(Diagnostic) -> WindowGeometry {
    var window: [Int] = []
    for dim in w.dropFirst().dropLast() {
      guard let extent = dim.constant else {
        throw .unsupported("conv_transpose: the kernel extent \(dim) is not constant")
      }
      window.append(extent)
    }
    return try WindowGeometry(
      "conv_transpose", window: window, strides: strides, padding: padding, dilations: dilations)
  }

  private func resultShape(
    _ x: [Dim], _ w: [Dim], _ context: inout InferenceContext
  ) throws(Diagnostic) -> [Dim] {
    guard (3...5).contains(x.count), w.count == x.count else {
      throw .invalid("conv_transpose: filters of shape \(w) do not fit x of shape \(x)")
    }
    let geometry = try geometry(w: w)
    let axes = geometry.window.count
    guard extra.isEmpty || (extra.count == axes && extra.allSatisfy({ (0...(1 << 28)).contains($0) })) else {
      throw .invalid("conv_transpose: extra \(extra) is not \(axes) numbers from 0 on")
    }
    try context.require(
      w[0], equals: x[x.count - 1], "conv_transpose: the filters of shape \(w) do not take the channels of x \(x)")
    guard groups >= 1 else { throw .invalid("conv_transpose: groups is \(groups)") }
    if groups > 1 {
      guard let channels = w[0].constant, channels % groups == 0 else {
        throw .invalid("conv_transpose: \(w[0]) channels do not divide into \(groups) groups")
      }
    }
    var shape = [x[0]]
    for axis in 0..<axes {
      let reach = geometry.dilations[axis] * (geometry.window[axis] - 1) + 1
      let more = reach + (extra.isEmpty ? 0 : extra[axis]) - geometry.before[axis] - geometry.after[axis]
      let extent = (x[axis + 1] - 1) * geometry.strides[axis] + more
      if let value = extent.constant, value < 0 {
        throw .invalid("conv_transpose: axis \(axis) of the result has \(value) elements")
      }
      shape.append(extent)
    }
    return shape + [w[w.count - 1] * groups]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let (x, w) = (try inputs[0].expectTensor(), try inputs[1].expectTensor())
    guard let element = x.storage else { throw .bug("conv_transpose: cannot take \(x.type)") }
    var context = InferenceContext()
    let geometry = try geometry(w: w.type.shape).threeAxes
    let shape = try allocatable(try resultShape(x.type.shape, w.type.shape, &context), "conv_transpose")
    let ones = Array(repeating: 1, count: 5 - shape.count)
    let input = [x.shape[0]] + ones + x.shape[1...]
    let output = [shape[0]] + ones + shape[1...]
    let (channels, filters) = (input[4] / groups, output[4] / groups)
    let taps = geometry.window.reduce(1, *)
    let (values, weights) = (x.doubles(), w.doubles())
    var sums = [Double](repeating: 0, count: shape.reduce(1, *))
    /// Where an element of one axis adds to through a tap; nil beyond the edges.
    func place(_ axis: Int, _ index: Int, _ tap: Int) -> Int? {
      let place = index * geometry.strides[axis] + tap * geometry.dilations[axis] - geometry.before[axis]
      return (0..<output[axis + 1]).contains(place) ? place : nil
    }
    for image in 0..<input[0] {
      for d in 0..<input[1] {
        for h in 0..<input[2] {
          for v in 0..<input[3] {
            let pixel = (((image * input[1] + d) * input[2] + h) * input[3] + v) * input[4]
            for tap in 0..<taps {
              let (tapV, rest) = (tap % geometry.window[2], tap / geometry.window[2])
              guard let outD = place(0, d, rest / geometry.window[1]),
                let outH = place(1, h, rest % geometry.window[1]), let outV = place(2, v, tapV)
              else { continue }
              let out = (((image * output[1] + outD) * output[2] + outH) * output[3] + outV) * output[4]
              for channel in 0..<input[4] {
                let group = channel / channels
                let filter = (channel * taps + tap) * filters
                for o in 0..<filters {
                  sums[out + group * filters + o] += values[pixel + channel] * weights[filter + o]
                }
              }
            }
          }
        }
      }
    }
    return [try contractionResult(sums, shape, element, bias: try inputs.present(2), "conv_transpose")]
  }
}

import Glibc
import Support

/// A convolution whose taps are moved: for each element of the result and each tap, `offset` says by how much, in rows
/// and columns, and what is read there is a bilinear mean of the four elements around.
///
///     %0: f32[1, 14, 14, 64]
///     %1: f32[32, 3, 3, 64]
///     %2: f32[1, 14, 14, 18]
///     %3: f32[1, 14, 14, 9]
///     %4 = deform_conv %0, %1, %2, %3 {padding = [1, 1, 1, 1]} : f32[1, 14, 14, 32]
///
/// `x` is `[N, H, W, C]`, `w` `[O, kernel..., C / groups]`, `bias` `[O]`. `offset` is `[N, H', W', offset_groups * taps *
/// 2]`: each group of channels has its own, tap by tap, row before column. `mask` `[N, H', W', offset_groups * taps]` is
/// what the elements read are multiplied by. Elements outside of `x` are zero.
public struct DeformConv: OpKind {
  public static let mnemonics = ["deform_conv"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("w", .float), OperandSpec("offset", .float),
    OperandSpec("mask", .float, .optional), OperandSpec("bias", .float, .optional),
  ]

  public var strides: [Int] = []
  public var padding: [Int] = []
  public var dilations: [Int] = []
  public var groups = 1
  public var offsetGroups = 1

  public init(mnemonic: String) {}
  public init(
    strides: [Int] = [], padding: [Int] = [], dilations: [Int] = [], groups: Int = 1, offsetGroups: Int = 1
  ) {
    self.strides = strides
    self.padding = padding
    self.dilations = dilations
    self.groups = groups
    self.offsetGroups = offsetGroups
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("strides", &strides)
    try visitor.ints("padding", &padding)
    try visitor.ints("dilations", &dilations)
    try visitor.int("groups", &groups)
    try visitor.int("offset_groups", &offsetGroups)
  }

  /// The window over `x`, for code that reads the attributes.
  public func geometry(w: [Dim]) throws(Diagnostic) -> WindowGeometry {
    guard w.count == 4, let rows = w[1].constant, let columns = w[2].constant else {
      throw .unsupported("deform_conv: filters of shape \(w), expected four axes and a constant kernel")
    }
    return try WindowGeometry(
      "deform_conv", window: [rows, columns], strides: strides, padding: padding, dilations: dilations)
  }

  private func resultShape(_ x: [Dim], _ w: [Dim], _ context: inout InferenceContext) throws(Diagnostic) -> [Dim] {
    guard x.count == 4 else { throw .invalid("deform_conv: x has shape \(x), expected four axes") }
    let geometry = try geometry(w: w)
    guard groups >= 1, offsetGroups >= 1, groups <= 1 << 20, offsetGroups <= 1 << 20 else {
      throw .invalid("deform_conv: groups is \(groups), offset_groups \(offsetGroups)")
    }
    guard let channels = x[3].constant, channels % groups == 0, channels % offsetGroups == 0,
      let filters = w[0].constant, filters % groups == 0
    else {
      throw .invalid("deform_conv: \(x[3]) channels and \(w[0]) filters do not divide into groups")
    }
    try context.require(
      w[3] * groups, equals: x[3], "deform_conv: the filters of shape \(w) do not take the channels of x \(x)")
    return [x[0]] + (try geometry.extents(Array(x[1...2]))) + [w[0]]
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let (x, w) = (try inputs[0].dense("deform_conv"), try inputs[1].dense("deform_conv"))
    let shape = try resultShape(x.shape, w.shape, &context)
    let taps = try geometry(w: w.shape).window.reduce(1, *)
    func check(_ number: Int, _ expected: [Dim], _ name: String) throws(Diagnostic) {
      guard let type = try inputs.present(number)?.dense("deform_conv") else { return }
      guard type.plain == x.plain, type.rank == expected.count else {
        throw .invalid("deform_conv: \(name) is \(type), expected shape \(expected) of the elements of x")
      }
      for (a, b) in zip(type.shape, expected) {
        try context.require(a, equals: b, "deform_conv: \(name) has shape \(type.shape), expected \(expected)")
      }
    }
    try check(1, w.shape, "w")
    try check(2, Array(shape.dropLast()) + [Dim(offsetGroups * taps * 2)], "offset")
    try check(3, Array(shape.dropLast()) + [Dim(offsetGroups * taps)], "mask")
    try check(4, [shape[3]], "bias")
    return [ValueFact(x.with(shape: shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let (x, w) = (try inputs[0].expectTensor(), try inputs[1].expectTensor())
    guard let element = x.storage else { throw .bug("deform_conv: cannot take \(x.type)") }
    var context = InferenceContext()
    let geometry = try geometry(w: w.type.shape)
    let shape = try allocatable(try resultShape(x.type.shape, w.type.shape, &context), "deform_conv")
    let taps = geometry.window.reduce(1, *)
    let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
    let (filters, perGroup) = (shape[3], w.shape[3])
    let (values, weights) = (x.doubles(), w.doubles())
    let offsets = try inputs[2].expectTensor().doubles()
    let masks = try inputs.present(3)?.doubles()
    var sums = [Double](repeating: 0, count: shape.reduce(1, *))
    var column = [Double](repeating: 0, count: taps * channels)
    for pixel in 0..<shape[0] * shape[1] * shape[2] {
      let (image, row, place) = (
        pixel / (shape[1] * shape[2]), pixel / shape[2] % shape[1], pixel % shape[2]
      )
      for tap in 0..<taps {
        let (i, j) = (tap / geometry.window[1], tap % geometry.window[1])
        for channel in 0..<channels {
          let number = pixel * offsetGroups * taps + channel / (channels / offsetGroups) * taps + tap
          let y =
            Double(row * geometry.strides[0] - geometry.before[0] + i * geometry.dilations[0]) + offsets[2 * number]
          let x =
            Double(place * geometry.strides[1] - geometry.before[1] + j * geometry.dilations[1])
            + offsets[2 * number + 1]
          func read(_ y: Double, _ x: Double) -> Double {
            guard y >= 0, x >= 0, y < Double(height), x < Double(width) else { return 0 }
            return values[((image * height + Int(y)) * width + Int(x)) * channels + channel]
          }
          let (top, left) = (floor(y), floor(x))
          let (down, right) = (y - top, x - left)
          let above = read(top, left) * (1 - right) + read(top, left + 1) * right
          let below = read(top + 1, left) * (1 - right) + read(top + 1, left + 1) * right
          column[tap * channels + channel] = (above * (1 - down) + below * down) * (masks.map { $0[number] } ?? 1)
        }
      }
      for filter in 0..<filters {
        let first = filter / (filters / groups) * perGroup
        var sum = 0.0
        for tap in 0..<taps {
          for c in 0..<perGroup {
            sum += column[tap * channels + first + c] * weights[(filter * taps + tap) * perGroup + c]
          }
        }
        sums[pixel * filters + filter] = sum
      }
    }
    return [try contractionResult(sums, shape, element, bias: try inputs.present(4), "deform_conv")]
  }
}

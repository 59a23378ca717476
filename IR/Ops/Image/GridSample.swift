import Support

/// An image of the elements of `x` at the places that `grid` names: `[N, spatial..., C]` at `[N, places..., axes]`.
///
///     %0: f32[1, 32, 32, 3]
///     %1: f32[1, 8, 8, 2]
///     %2 = grid_sample %0, %1 {mode = linear} : f32[1, 8, 8, 3]
///
/// A place names the last spatial axis first; -1 and 1 are the ends of an axis: the centers of the outermost elements
/// with `align_corners`, else their outer edges. Outside, `padding` says what there is: zeros, the outermost element
/// (`border`), or the image mirrored at its ends (`reflection`). Places are computed in f32.
public struct GridSample: OpKind {
  public enum Mode: String, CaseIterable, Sendable { case nearest, linear, cubic }
  public enum Padding: String, CaseIterable, Sendable { case zeros, border, reflection }

  public static let mnemonics = ["grid_sample"]
  public static let operands = [OperandSpec("x", .float), OperandSpec("grid", .float)]

  public var mode = Mode.linear
  public var padding = Padding.zeros
  public var alignCorners = false

  public init(mnemonic: String) {}
  public init(_ mode: Mode, padding: Padding, alignCorners: Bool) {
    self.mode = mode
    self.padding = padding
    self.alignCorners = alignCorners
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("mode", &mode)
    try visitor.choice("padding", &padding)
    try visitor.bool("align_corners", &alignCorners)
  }

  private func resultShape(_ x: [Dim], _ grid: [Dim]) throws(Diagnostic) -> [Dim] {
    guard x.count == grid.count, (3...5).contains(x.count), grid[grid.count - 1].constant == x.count - 2 else {
      throw .invalid("grid_sample: an image \(x) and places \(grid) do not fit")
    }
    return Array(grid.dropLast()) + [x[x.count - 1]]
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("grid_sample")
    let grid = try inputs[1].dense("grid_sample")
    let shape = try resultShape(type.shape, grid.shape)
    try context.require(type.shape[0], equals: grid.shape[0], "grid_sample: \(type) and \(grid) differ in images")
    for dim in type.shape[1..<type.rank - 1] where dim.constant == 0 && shape.allSatisfy({ $0.constant != 0 }) {
      throw .invalid("grid_sample: the image \(type) is empty")
    }
    return [ValueFact(type.with(shape: shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let grid = try inputs[1].expectTensor()
    let shape = try allocatable(try resultShape(x.type.shape, grid.type.shape), "grid_sample")
    guard let element = x.storage, x.shape[0] == grid.shape[0] else {
      throw .invalid("grid_sample: \(x.type) and \(grid.type) differ in images")
    }
    let spatial = Array(x.shape[1..<x.shape.count - 1])
    guard !spatial.contains(0) || shape.contains(0) else { throw .invalid("grid_sample: the image is empty") }
    let (channels, axes) = (x.shape[x.shape.count - 1], spatial.count)
    let (values, places) = (x.doubles(), grid.doubles())
    let strides = rowMajorStrides(spatial)
    let (pixels, points) = (spatial.reduce(1, *), shape[1..<shape.count - 1].reduce(1, *))
    var result = [Double](repeating: 0, count: shape.reduce(1, *))
    for point in 0..<shape[0] * points {
      // Combinations of the taps of all axes: a position, or nil outside, and a weight.
      var taps: [(position: Int?, weight: Double)] = [(point / max(points, 1) * pixels, 1)]
      for axis in 0..<axes {
        let place = Float(places[point * axes + axes - 1 - axis])
        let own = GridAxis(self, extent: spatial[axis]).taps(place)
        taps = taps.flatMap { outer in
          own.map { tap in
            (outer.position.flatMap { base in tap.index.map { base + $0 * strides[axis] } }, outer.weight * tap.weight)
          }
        }
      }
      for tap in taps {
        guard let position = tap.position else { continue }
        for c in 0..<channels { result[point * channels + c] += tap.weight * values[position * channels + c] }
      }
    }
    return [.tensor(Tensor(element, shape, doubles: result))]
  }
}

/// Where a place lies along one axis of an image.
private struct GridAxis {
  let op: GridSample
  let extent: Int
  private let low: Float
  private let high: Float

  init(_ op: GridSample, extent: Int) {
    self.op = op
    self.extent = extent
    low = op.alignCorners ? 0 : -0.5
    high = Float(extent) + (op.alignCorners ? -1 : -0.5)
  }

  private func mirrored(_ x: Float) -> Float {
    let span = high - low
    guard span > 0 else { return 0 }
    guard x < low || x > high else { return x }
    let distance = x < low ? low - x : x - high
    let turns = (distance / span).rounded(.towardZero)
    let rest = distance - turns * span
    let isEven = turns - 2 * (turns / 2).rounded(.down) == 0
    return (x < low) == isEven ? low + rest : high - rest
  }

  func taps(_ place: Float) -> [(index: Int?, weight: Double)] {
    let length = Float(extent)
    var x = op.alignCorners ? (place + 1) / 2 * (length - 1) : ((place + 1) * length - 1) / 2
    x = x.isNaN ? 0 : min(max(x, -1e9), 1e9)
    if op.mode == .nearest { x = x.rounded(.toNearestOrEven) }
    if x < low || x > high {
      // A cubic kernel slides over the repeated elements outside.
      if op.padding == .border, op.mode != .cubic { x = min(max(x, 0), length - 1) }
      if op.padding == .reflection { x = mirrored(x) }
    }
    if op.mode == .nearest { return [(index(Int(x)), 1)] }
    let base = x.rounded(.down)
    let rest = Double(x - base)
    let numbers = op.mode == .linear ? [0, 1] : [-1, 0, 1, 2]
    return numbers.map { (index(Int(base) + $0), weight(Double($0) - rest)) }
  }

  private func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    if op.mode == .linear { return max(0, 1 - x) }
    let a = -0.75
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }

  private func index(_ index: Int) -> Int? {
    switch op.padding {
    case .zeros: index >= 0 && index < extent ? index : nil
    case .border: min(max(index, 0), extent - 1)
    case .reflection: min(max(Int(mirrored(Float(index))), 0), extent - 1)
    }
  }
}

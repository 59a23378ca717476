import Support

/// How elements along an axis are made of those of a longer or shorter one: the same for all axes of a resize.
public struct ResampleRule: Hashable, Sendable {
  public enum Mode: String, CaseIterable, Sendable { case nearest, linear, cubic }

  /// Which place of the source stands for a place of the result. The names are those of the ONNX operator.
  public enum Coordinates: String, CaseIterable, Sendable {
    case halfPixel = "half_pixel"
    case halfPixelSymmetric = "half_pixel_symmetric"
    case pytorchHalfPixel = "pytorch_half_pixel"
    case alignCorners = "align_corners"
    case asymmetric
    case nearestHalfPixel = "tf_half_pixel_for_nn"
    case cropAndResize = "tf_crop_and_resize"
  }

  /// Which neighbour is the nearest one.
  public enum Rounding: String, CaseIterable, Sendable {
    case preferFloor = "round_prefer_floor"
    case preferCeil = "round_prefer_ceil"
    case floor, ceil
  }

  public var mode = Mode.nearest
  public var coordinates = Coordinates.halfPixel
  public var rounding = Rounding.preferFloor
  public var cubicCoefficient = -0.75
  /// Elements outside of the source have no weight; else the outermost ones stand for them.
  public var excludeOutside = false
  /// Where the result is smaller, every element of the source counts.
  public var antialias = false

  public init() {}

  /// How many elements of the source make one of the result.
  public func taps(scale: Double) throws(Diagnostic) -> Int {
    guard mode != .nearest else { return 1 }
    let reach = antialias ? support / narrowing(scale) : support
    guard reach.isFinite, reach <= 16384 else {
      throw .unsupported("resize: a scale of \(scale) makes one element of too many")
    }
    return 2 * Int(reach.rounded(.up))
  }

  /// Half the width of the kernel at scale 1.
  private var support: Double { mode == .cubic ? 2 : 1 }

  /// By how much the kernel is stretched.
  public func narrowing(_ scale: Double) -> Double { antialias ? min(scale, 1) : 1 }

  /// The weight of an element at a distance.
  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    if mode == .linear { return max(0, 1 - x) }
    let a = cubicCoefficient
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}

/// One axis that is resampled.
public struct ResampleAxis: Sendable {
  public let rule: ResampleRule
  /// Of the source and of the result.
  public let extent: Int
  public let count: Int
  public let scale: Double
  /// The length of the result before it was made a whole number.
  public let width: Double
  public let region: (start: Double, end: Double)

  /// Indices into the source, row by row: all first taps, then all second ones.
  public private(set) var indices: [Int] = []
  public private(set) var weights: [Double] = []
  /// Where the result has the value for what lies outside.
  public private(set) var isOutside: [Bool] = []
  public let taps: Int

  /// A scale of zero is the ratio of the extents.
  public init(
    _ rule: ResampleRule, extent: Int, count: Int, scale given: Double, region: (start: Double, end: Double)
  ) throws(Diagnostic) {
    self.rule = rule
    self.extent = extent
    self.count = count
    self.region = region
    scale = given > 0 ? given : Double(count) / Double(extent)
    width = given > 0 ? given * Double(extent) : Double(count)
    guard extent > 0 || count == 0 else { throw .invalid("resize: \(count) elements cannot be made of none") }
    taps = count == 0 ? 1 : try rule.taps(scale: scale)
    guard count == 0 || taps <= (1 << 26) / count else {
      throw .unsupported("resize: the weights of \(count) elements are too many")
    }
    indices = Array(repeating: 0, count: taps * count)
    weights = Array(repeating: 1, count: taps * count)
    isOutside = Array(repeating: false, count: count)
    for place in 0..<count { fill(place) }
  }

  /// Whether the axis stays as it is, whatever the rule says of places.
  private var isWhole: Bool {
    let hasRegion = rule.coordinates == .cropAndResize && (abs(region.start) >= 1e-9 || abs(region.end - 1) >= 1e-9)
    return extent == count && abs(scale - 1) < 1e-9 && !hasRegion
  }

  /// In f32, as the frameworks compute: what they round down to is what models were made for.
  private func coordinate(_ place: Int) -> Float {
    if isWhole { return Float(place) }
    let (x, length) = (Float(place), Float(extent))
    let (scale, width) = (Float(scale), Float(width))
    switch rule.coordinates {
    case .halfPixel: return (x + 0.5) / scale - 0.5
    case .pytorchHalfPixel: return width == 1 ? 0 : (x + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let offset = length / 2 * (1 - Float(count) / width)
      return offset + (x + 0.5) / scale - 0.5
    case .alignCorners: return width == 1 ? 0 : x * (length - 1) / (width - 1)
    case .asymmetric: return x / scale
    case .nearestHalfPixel: return (x + 0.5) / scale
    case .cropAndResize:
      let (start, size) = (Float(region.start), Float(region.end) - Float(region.start))
      return start * (length - 1) + (width == 1 ? size * (length - 1) / 2 : x * size * (length - 1) / (width - 1))
    }
  }

  private mutating func fill(_ place: Int) {
    let x = Double(coordinate(place))
    // A place so far away is outside of everything.
    let bounded = x.isNaN ? 0 : min(max(x, -1e9), 1e9)
    let low = bounded.rounded(.down)
    let ratio = bounded - low
    let base = Int(low)
    if rule.coordinates == .cropAndResize { isOutside[place] = !(x >= 0 && x <= Double(Float(extent) - 1)) }
    guard rule.mode != .nearest else {
      let up: Bool
      switch rule.rounding {
      case .floor: up = false
      case .ceil: up = ratio > 0
      case .preferFloor: up = ratio > 0.5
      case .preferCeil: up = ratio >= 0.5
      }
      indices[place] = min(max(base + (up ? 1 : 0), 0), extent - 1)
      return
    }
    var sum = 0.0
    for tap in 0..<taps {
      let offset = tap + 1 - taps / 2
      let index = base + offset
      var weight = rule.weight((Double(offset) - ratio) * rule.narrowing(scale))
      if rule.excludeOutside, index < 0 || index >= extent { weight = 0 }
      sum += weight
      weights[tap * count + place] = weight
      indices[tap * count + place] = min(max(index, 0), extent - 1)
    }
    guard rule.antialias || rule.excludeOutside, sum != 0 else { return }
    for tap in 0..<taps { weights[tap * count + place] /= sum }
  }

  /// The elements of `[outer, extent, inner]` resampled along the middle axis.
  func apply(_ values: [Double], outer: Int, inner: Int, outside: Double) -> [Double] {
    var result = [Double](repeating: 0, count: outer * count * inner)
    for block in 0..<outer {
      for place in 0..<count {
        let row = (block * count + place) * inner
        for tap in 0..<taps {
          let source = (block * extent + indices[tap * count + place]) * inner
          let weight = weights[tap * count + place]
          if rule.mode == .nearest {
            for i in 0..<inner { result[row + i] = values[source + i] }
          } else {
            for i in 0..<inner { result[row + i] += weight * values[source + i] }
          }
        }
        if isOutside[place] { for i in 0..<inner { result[row + i] = outside } }
      }
    }
    return result
  }
}

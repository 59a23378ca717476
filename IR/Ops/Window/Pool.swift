import Support

/// The greatest (`max_pool`) or mean (`avg_pool`) element under a window that slides over the spatial axes of
/// `[N, spatial..., C]`.
///
///     %0: f32[1, 56, 56, 64]
///     %1 = max_pool %0 {window = [3, 3], strides = [2, 2], padding = [1, 1, 1, 1]} : f32[1, 28, 28, 64]
///
/// Padding never wins the maximum, and counts in the mean as zeros only with `count_padding`. With `ceil_mode` a last
/// window may reach beyond the padded end if it starts inside; what lies beyond never counts. A window that meets no
/// element gives the least value of the type, or a mean of 0. NaN propagates.
public struct Pool: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case max = "max_pool"
    case average = "avg_pool"
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("x", .stored)]

  public var function: Function
  public var window: [Int] = []
  public var strides: [Int] = []
  public var padding: [Int] = []
  public var dilations: [Int] = []
  public var countPadding = false
  public var ceilMode = false
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .max }
  public init(
    _ function: Function, window: [Int], strides: [Int] = [], padding: [Int] = [], dilations: [Int] = [],
    countPadding: Bool = false, ceilMode: Bool = false
  ) {
    self.function = function
    self.window = window
    self.strides = strides
    self.padding = padding
    self.dilations = dilations
    self.countPadding = countPadding
    self.ceilMode = ceilMode
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("window", &window)
    try visitor.ints("strides", &strides)
    try visitor.ints("padding", &padding)
    try visitor.ints("dilations", &dilations)
    try visitor.bool("count_padding", &countPadding)
    try visitor.bool("ceil_mode", &ceilMode)
  }

  public var geometry: WindowGeometry {
    get throws(Diagnostic) {
      try WindowGeometry(mnemonic, window: window, strides: strides, padding: padding, dilations: dilations)
    }
  }

  private func resultShape(_ x: [Dim]) throws(Diagnostic) -> [Dim] {
    let geometry = try geometry
    guard x.count == window.count + 2 else {
      throw .invalid("\(mnemonic): x has shape \(x), expected \(window.count + 2) axes for the window \(window)")
    }
    return [x[0]] + (try geometry.extents(Array(x[1..<x.count - 1]), ceil: ceilMode)) + [x[x.count - 1]]
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], mnemonic)
    guard let element = type.element.storage, type.plain?.isFloat ?? false || (function == .max && element.bits <= 32)
    else {
      throw .invalid("\(mnemonic): cannot take \(type)")
    }
    return [ValueFact(type.with(shape: try resultShape(type.shape)))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage else { throw .bug("\(mnemonic): cannot take \(x.type)") }
    let shape = try allocatable(try resultShape(x.type.shape), mnemonic)
    let result = slide(x, shape, try geometry, least: element.integerRange.map { Double($0.lowerBound) })
    if element.isFloat { return [.tensor(Tensor(element, shape, doubles: result))] }
    return [.tensor(try Tensor(element: x.element, shape, stored: result.map { Int(saturating: $0) }))]
  }

  private func slide(_ x: Tensor, _ shape: [Int], _ geometry: WindowGeometry, least: Double?) -> [Double] {
    let channels = shape[shape.count - 1]
    let initial = function == .max ? least ?? -.infinity : 0
    let values = x.doubles()
    var result = [Double](repeating: initial, count: shape.reduce(1, *))
    geometry.slide(over: x.shape, to: shape) { number, pixel, _ in
      let (out, from) = (number * channels, pixel * channels)
      if function == .average {
        for c in 0..<channels { result[out + c] += values[from + c] }
      } else {
        for c in 0..<channels { result[out + c] = Binary.Function.maximum.apply(result[out + c], values[from + c]) }
      }
    } leave: { number, depth, height, width in
      guard function == .average else { return }
      let counts = [depth, height, width].map { countPadding ? $0.padded : $0.range.count }
      let count = Double(counts[0]) * Double(counts[1]) * Double(counts[2])
      for c in 0..<channels { result[number * channels + c] /= max(count, 1) }
    }
    return result
  }
}

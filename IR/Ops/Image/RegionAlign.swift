import Support

/// Regions of images, each sampled on a grid and pooled to one size: `x` is `[N, height, width, C]`, a region two
/// corners `x1, y1, x2, y2` in the image that `images` names.
///
///     %0: f32[1, 32, 32, 8]
///     %1: f32[10, 4]
///     %2: i64[10]
///     %3 = region_align %0, %1, %2 {size = [7, 7], samples = 2} : f32[10, 7, 7, 8]
///
/// Each element is the mean (or with `max` the greatest weighted neighbour) of `samples` by `samples` places, or with 0
/// of as many as the region has elements. Corners are multiplied by `scale`; with `half_pixel` they name the centers of
/// elements, else regions have a size of 1 at least. Places are computed in f32.
public struct RegionAlign: OpKind {
  public static let mnemonics = ["region_align"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("regions", .float), OperandSpec("images", .integer),
  ]
  /// More samples along an axis are refused: the size of a region is data.
  public static let sampleLimit = 1 << 12

  public var size: [Int] = [1, 1]
  public var samples = 0
  public var scale = 1.0
  public var max = false
  public var halfPixel = true

  public init(mnemonic: String) {}
  public init(size: [Int], samples: Int, scale: Double, max: Bool, halfPixel: Bool) {
    self.size = size
    self.samples = samples
    self.scale = scale
    self.max = max
    self.halfPixel = halfPixel
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("size", &size)
    try visitor.int("samples", &samples)
    try visitor.float("scale", &scale)
    try visitor.bool("max", &max)
    try visitor.bool("half_pixel", &halfPixel)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("region_align")
    let boxes = try inputs[1].dense("region_align")
    let images = try inputs[2].dense("region_align")
    guard type.rank == 4, boxes.rank == 2, images.rank == 1, type.element == boxes.element else {
      throw .invalid("region_align: cannot take \(type), \(boxes) and \(images)")
    }
    guard size.count == 2, size.allSatisfy({ (1...(1 << 20)).contains($0) }), (0...Self.sampleLimit).contains(samples)
    else { throw .invalid("region_align: size \(size) or samples \(samples) make no sense") }
    try context.require(boxes.shape[1], equals: 4, "region_align: regions are \(boxes)")
    try context.require(boxes.shape[0], equals: images.shape[0], "region_align: \(boxes) and \(images) differ")
    return [ValueFact(type.with(shape: [boxes.shape[0], Dim(size[0]), Dim(size[1]), type.shape[3]]))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let boxes = try inputs[1].expectTensor().doubles().map { Float($0) }
    let images = try inputs[2].expectTensor().integers()
    guard let element = x.storage, x.shape.count == 4, boxes.count == 4 * images.count, size.count == 2 else {
      throw .invalid("region_align: regions and images do not fit")
    }
    let shape = [images.count, size[0], size[1], x.shape[3]]
    try checkAllocatable(shape, "region_align")
    guard x.shape[1] > 0 && x.shape[2] > 0 || shape.contains(0) else {
      throw .invalid("region_align: the images \(x.type) are empty")
    }
    if shape.contains(0) { return [.tensor(Tensor(element, shape, doubles: []))] }
    let (channels, values) = (x.shape[3], x.doubles())
    var result: [Double] = []
    for (number, image) in images.enumerated() {
      guard image >= 0, image < x.shape[0] else { throw .invalid("region_align: there is no image \(image)") }
      let box = Array(boxes[number * 4..<number * 4 + 4])
      let rows = try RegionAxis(self, from: box[1], to: box[3], count: size[0], extent: x.shape[1])
      let columns = try RegionAxis(self, from: box[0], to: box[2], count: size[1], extent: x.shape[2])
      for row in 0..<size[0] {
        for column in 0..<size[1] {
          var sums = [Double](repeating: 0, count: channels)
          var isFirst = true
          for i in 0..<rows.samples {
            for j in 0..<columns.samples {
              let corners = corners(rows.taps(row, i), columns.taps(column, j))
              for c in 0..<channels {
                let parts = corners.map { corner in
                  corner.weight
                    * values[((image * x.shape[1] + corner.row) * x.shape[2] + corner.column) * channels + c]
                }
                if max {
                  let greatest = parts.reduce(-Double.infinity) { Binary.Function.maximum.apply($0, $1) }
                  sums[c] = isFirst ? greatest : Binary.Function.maximum.apply(sums[c], greatest)
                } else {
                  sums[c] += parts.reduce(0, +)
                }
              }
              isFirst = false
            }
          }
          let count = Double(Swift.max(rows.samples * columns.samples, 1))
          result += max ? sums : sums.map { $0 / count }
        }
      }
    }
    return [.tensor(Tensor(element, shape, doubles: result))]
  }

  /// The four neighbours of a place; none of any weight where it lies outside.
  private func corners(
    _ row: RegionAxis.Taps, _ column: RegionAxis.Taps
  ) -> [(row: Int, column: Int, weight: Double)] {
    guard let row = row.inside, let column = column.inside else {
      return [(0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
    }
    let (y, v) = (Double(row.part), Double(column.part))
    return [
      (row.low, column.low, (1 - y) * (1 - v)), (row.low, column.high, (1 - y) * v),
      (row.high, column.low, y * (1 - v)), (row.high, column.high, y * v),
    ]
  }
}

/// The places that a region is sampled at along one axis.
private struct RegionAxis {
  struct Taps {
    var inside: (low: Int, high: Int, part: Float)?
  }

  let samples: Int
  private let start: Float
  private let bin: Float
  private let extent: Int

  init(
    _ op: RegionAlign, from: Float, to: Float, count: Int, extent: Int
  ) throws(Diagnostic) {
    let shift: Float = op.halfPixel ? 0.5 : 0
    start = from * Float(op.scale) - shift
    var length = to * Float(op.scale) - shift - start
    if !op.halfPixel { length = length > 1 ? length : 1 }
    bin = length / Float(count)
    self.extent = extent
    let wanted = bin.rounded(.up)
    guard op.samples > 0 || !(wanted > Float(RegionAlign.sampleLimit)) else {
      throw .invalid("region_align: a region takes \(wanted) samples, more than \(RegionAlign.sampleLimit)")
    }
    samples = op.samples > 0 ? op.samples : wanted > 0 ? Int(wanted) : 0
  }

  func taps(_ place: Int, _ sample: Int) -> Taps {
    let offset = (Float(sample) + 0.5) * bin / Float(samples)
    var x = start + Float(place) * bin + offset
    guard x >= -1, x <= Float(extent), extent > 0 else { return Taps(inside: nil) }
    x = x > 0 ? x : 0
    let low = Int(x)
    guard low < extent - 1 else { return Taps(inside: (extent - 1, extent - 1, 0)) }
    return Taps(inside: (low, low + 1, x - Float(low)))
  }
}

import Support

/// Boxes that overlap no better one of their class: rows of image, class and box number, ordered by image, then by
/// class, then from the best score down. Their number is a fresh symbol.
///
///     %0: f32[2, 100, 4]
///     %1: f32[2, 80, 100]
///     %2: i64[]
///     %3: f32[]
///     %4: f32[]
///     %5 = non_max_suppression %0, %1, %2, %3, %4 {extent = s} : i64[s, 3]
///
/// A box counts where its score is above `score_threshold` (if there is one). It is left out where what it shares with
/// a box taken before, divided by what both cover, is above `overlap_threshold`. `limit` bounds the boxes of one class
/// in one image; of equal scores the box with the lower number comes first. Boxes are two opposite corners,
/// `y1, x1, y2, x2`, or with `center` the center and the size, `x, y, width, height`.
public struct NonMaxSuppression: OpKind {
  public static let mnemonics = ["non_max_suppression"]
  public static let operands = [
    OperandSpec("boxes", .float), OperandSpec("scores", .float), OperandSpec("limit", .integer),
    OperandSpec("overlap_threshold", .float), OperandSpec("score_threshold", .float, .optional),
  ]

  /// The symbol that stands for the number of boxes.
  public var extent: Dim = 0
  public var center = false

  public init(mnemonic: String) {}
  public init(extent symbol: String, center: Bool = false) {
    extent = Dim(symbol: symbol)
    self.center = center
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("extent", &extent)
    try visitor.bool("center", &center)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let boxes = try inputs[0].dense("non_max_suppression")
    let scores = try inputs[1].dense("non_max_suppression")
    guard boxes.plain == .f32, scores.plain == .f32, boxes.rank == 3, scores.rank == 3 else {
      throw .invalid("non_max_suppression: boxes are \(boxes), scores \(scores), expected three axes of f32")
    }
    let message = "non_max_suppression: boxes \(boxes) and scores \(scores) do not fit"
    try context.require(boxes.shape[2], equals: 4, message)
    try context.require(boxes.shape[0], equals: scores.shape[0], message)
    try context.require(boxes.shape[1], equals: scores.shape[2], message)
    for (number, element) in [(2, ElementType.i64), (3, .f32), (4, .f32)] {
      guard let fact = inputs.present(number) else { continue }
      let type = try fact.dense("non_max_suppression")
      guard type == TensorType(element, []) else {
        throw .invalid("non_max_suppression: \(Self.operands[number].name) is \(type), expected \(element)[]")
      }
    }
    guard extent.symbolName != nil else {
      throw .invalid("non_max_suppression: extent is \(extent), expected a symbol")
    }
    return [ValueFact(.i64, [extent, 3])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let boxes = try inputs[0].expectTensor()
    let scores = try inputs[1].expectTensor()
    guard let symbol = extent.symbolName, boxes.shape.count == 3, scores.shape.count == 3, boxes.shape[2] == 4,
      boxes.shape[0] == scores.shape[0], boxes.shape[1] == scores.shape[2]
    else { throw .invalid("non_max_suppression: boxes \(boxes.shape) and scores \(scores.shape) do not fit") }
    let limit = try inputs[2].expectTensor().integers()[0]
    let overlap = Float(try inputs[3].expectTensor().doubles()[0])
    let least = try inputs.present(4).map { Float($0.doubles()[0]) }
    let numbers = boxes.doubles().map { Float($0) }
    let marks = scores.doubles().map { Float($0) }
    let (classes, count) = (scores.shape[1], scores.shape[2])
    var result: [Int] = []
    for line in 0..<(count == 0 ? 0 : scores.shape[0] * classes) {
      let image = line / classes
      func box(_ number: Int) -> SuppressionBox {
        let start = (image * count + number) * 4
        return SuppressionBox(Array(numbers[start..<start + 4]), center: center)
      }
      // NaN is above no threshold and, where there is none, the best score.
      let candidates = (0..<count).filter { number in least.map { marks[line * count + number] > $0 } ?? true }
      let order = ElementOrder(scores)
      let sorted = candidates.sorted { a, b in
        let relation = order.compare(line * count + a, line * count + b)
        return relation == 0 ? a < b : relation > 0
      }
      var taken: [SuppressionBox] = []
      for number in sorted where taken.count < limit {
        let candidate = box(number)
        if taken.contains(where: { $0.overlaps(candidate, by: overlap) }) { continue }
        taken.append(candidate)
        result += [image, line % classes, number]
      }
    }
    try call.bind(symbol, to: result.count / 3)
    return [.tensor(Tensor(.i64, [result.count / 3, 3], integers: result))]
  }
}

/// A box by its edges, in f32 as models compute.
private struct SuppressionBox {
  let low: (Float, Float)
  let high: (Float, Float)
  let area: Float

  init(_ numbers: [Float], center: Bool) {
    if center {
      let (x, y, width, height) = (numbers[0], numbers[1], numbers[2] / 2, numbers[3] / 2)
      low = (y - height, x - width)
      high = (y + height, x + width)
    } else {
      low = (SuppressionBox.lesser(numbers[0], numbers[2]), SuppressionBox.lesser(numbers[1], numbers[3]))
      high = (SuppressionBox.greater(numbers[0], numbers[2]), SuppressionBox.greater(numbers[1], numbers[3]))
    }
    area = (high.0 - low.0) * (high.1 - low.1)
  }

  private static func lesser(_ a: Float, _ b: Float) -> Float { a < b ? a : b }
  private static func greater(_ a: Float, _ b: Float) -> Float { a > b ? a : b }

  func overlaps(_ other: SuppressionBox, by threshold: Float) -> Bool {
    let height = Self.lesser(high.0, other.high.0) - Self.greater(low.0, other.low.0)
    let width = Self.lesser(high.1, other.high.1) - Self.greater(low.1, other.low.1)
    guard height > 0, width > 0 else { return false }
    let shared = height * width
    let union = area + other.area - shared
    return area > 0 && other.area > 0 && union > 0 && shared / union > threshold
  }
}

import Support

/// The `k` greatest elements along `axis`, or with `largest = false` the least ones, in that order, and their indices.
///
///     %0: f32[8, 1000]
///     %1, %2 = top_k %0 {axis = 1, k = 5} : f32[8, 5], i64[8, 5]
///
/// Of equal elements the one with the lower index comes first; NaN is greater than every number.
public struct TopK: OpKind {
  public static let mnemonics = ["top_k"]
  public static let operands = [OperandSpec("x", .number)]
  public static let resultCount: Int? = 2

  /// Negative axes count from the end.
  public var axis = 0
  public var k: Dim = 1
  public var largest = true

  public init(mnemonic: String) {}
  public init(axis: Int, k: Dim, largest: Bool = true) {
    self.axis = axis
    self.k = k
    self.largest = largest
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.dim("k", &k)
    try visitor.bool("largest", &largest)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("top_k")
    let axis = try normalized(axis: axis, rank: type.rank, "top_k")
    try checkExtents([k], "top_k")
    guard (type.shape[axis] - k).bounds(context.symbols).upperBound >= 0 else {
      throw .invalid("top_k: axis \(axis) of \(type) has no \(k) elements")
    }
    var shape = type.shape
    shape[axis] = k
    return [ValueFact(type.with(shape: shape)), ValueFact(.i64, shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let axis = try normalized(axis: axis, rank: x.shape.count, "top_k")
    let count = try call.dim(k)
    var shape = x.shape
    guard (0...shape[axis]).contains(count) else {
      throw .invalid("top_k: axis \(axis) of \(x.shape) has no \(count) elements")
    }
    shape[axis] = count
    if shape.contains(0) { return [.tensor(x.picking([], shape: shape)), .tensor(Tensor(.i64, shape, integers: []))] }
    let lines = AxisLines(x.shape, axis: axis)
    let order = ElementOrder(x)
    var positions = [Int](repeating: 0, count: shape.reduce(1, *))
    var indices = positions
    for (number, start) in lines.starts.enumerated() {
      let sorted = (0..<lines.extent).sorted { a, b in
        let relation = order.compare(start + a * lines.stride, start + b * lines.stride)
        return relation == 0 ? a < b : largest ? relation > 0 : relation < 0
      }
      let base = number / lines.stride * count * lines.stride + number % lines.stride
      for (place, index) in sorted.prefix(count).enumerated() {
        positions[base + place * lines.stride] = start + index * lines.stride
        indices[base + place * lines.stride] = index
      }
    }
    return [.tensor(x.picking(positions, shape: shape)), .tensor(Tensor(.i64, shape, integers: indices))]
  }
}

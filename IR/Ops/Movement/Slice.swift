import Support

/// A regular part of `x`: element `i` of an axis is element `start + i * step`, one start, size and step an axis.
///
///     %0: f32[8, 64, 128]
///     %1 = slice %0 {starts = [0, 63, 0], sizes = [8, 32, 64], steps = [1, -2, 1]} : f32[8, 32, 64]
///
/// A step may be negative, but not zero. The part must lie inside of `x`.
public struct Slice: OpKind {
  public static let mnemonics = ["slice"]
  public static let operands = [OperandSpec("x", .tensor)]

  public var starts: [Dim] = []
  public var sizes: [Dim] = []
  public var steps: [Int] = []

  public init(mnemonic: String) {}
  public init(starts: [Dim], sizes: [Dim], steps: [Int]) {
    self.starts = starts
    self.sizes = sizes
    self.steps = steps
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dims("starts", &starts)
    try visitor.dims("sizes", &sizes)
    try visitor.ints("steps", &steps)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "slice")
    guard starts.count == type.rank, sizes.count == type.rank, steps.count == type.rank else {
      throw .invalid("slice: \(type) takes \(type.rank) starts, sizes and steps")
    }
    try checkExtents(sizes, "slice")
    for axis in 0..<type.rank {
      let step = steps[axis]
      guard step != 0, step.magnitude <= 1 << 40 else { throw .invalid("slice: a step of axis \(axis) is \(step)") }
      // Refuted only where it fails for every value of the symbols; run time checks the rest.
      guard sizes[axis].bounds(context.symbols).lowerBound > 0 else { continue }
      let ends = [starts[axis], starts[axis] + (sizes[axis] - 1) * step]
      for end in ends {
        if end.bounds(context.symbols).upperBound < 0
          || (type.shape[axis] - 1 - end).bounds(context.symbols).upperBound < 0
        {
          throw .invalid("slice: index \(end) of axis \(axis) is outside of \(type)")
        }
      }
    }
    return [
      inputs[0].moved(to: type.with(shape: sizes)) { shape in
        guard let source = type.constantShape, let first = constants(starts) else { return nil }
        return try? positions(source, starts: first, sizes: shape)
      }
    ]
  }

  private func constants(_ dims: [Dim]) -> [Int]? {
    let values = dims.compactMap(\.constant)
    return values.count == dims.count ? values : nil
  }

  private func positions(_ source: [Int], starts: [Int], sizes: [Int]) throws(Diagnostic) -> [Int] {
    if sizes.contains(0) { return [] }
    let strides = rowMajorStrides(source)
    var offset = 0
    for (axis, extent) in source.enumerated() {
      let last = Dim.add(starts[axis], Dim.multiply(sizes[axis] - 1, steps[axis]))
      for index in [starts[axis], last] where !(0..<extent).contains(index) {
        throw .invalid("slice: index \(index) is out of range for extent \(extent) of axis \(axis)")
      }
      offset += starts[axis] * strides[axis]
    }
    // An axis of one element takes no step, however large.
    let walk = sizes.indices.map { sizes[$0] == 1 ? 0 : steps[$0] * strides[$0] }
    return stridedPositions(sizes, strides: walk, offset: offset)
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    var first: [Int] = []
    for start in starts { first.append(try call.dim(start)) }
    let shape = try call.shape(sizes, "slice")
    guard shape.count == x.shape.count, first.count == shape.count, steps.count == shape.count else {
      throw .bug("slice: its attributes do not fit \(x.type)")
    }
    return [.tensor(x.picking(try positions(x.shape, starts: first, sizes: shape), shape: shape))]
  }
}

import Support

/// Takes parts of `x` by coordinates: each row of `indices`, along its last axis, names an element by as many
/// coordinates as it is long, or the part of `x` that the axes left over span.
///
///     %0: f32[8, 64, 3]
///     %1: i64[10, 2]
///     %2 = gather_nd %0, %1 : f32[10, 3]
///
/// The first `batch_dims` axes of both are walked together. Negative coordinates count from the end; others outside of
/// their axis are an error.
public struct GatherND: OpKind {
  public static let mnemonics = ["gather_nd"]
  public static let operands = [OperandSpec("x", .tensor), OperandSpec("indices", .integer)]

  public var batchDims = 0

  public init(mnemonic: String) {}
  public init(batchDims: Int = 0) { self.batchDims = batchDims }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("batch_dims", &batchDims)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "gather_nd")
    let indices = try inputs[1].dense("gather_nd")
    let places = try CoordinatePlaces(type.shape, indices.shape, batchDims: batchDims, "gather_nd")
    for axis in 0..<batchDims {
      try context.require(
        type.shape[axis], equals: indices.shape[axis], "gather_nd: \(type) and \(indices) differ along axis \(axis)")
    }
    return [
      inputs[0].moved(to: type.with(shape: places.rows + places.part)) { _ in
        guard let source = type.constantShape, let rows = indices.constantShape,
          let numbers = inputs[1].knownIntegers
        else { return nil }
        return try? places.positions(source, rows, numbers)
      }
    ]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let indices = try inputs[1].expectTensor()
    let places = try CoordinatePlaces(x.type.shape, indices.type.shape, batchDims: batchDims, "gather_nd")
    let shape = try allocatable(places.rows + places.part, "gather_nd")
    let positions = try places.positions(x.shape, indices.shape, indices.integers())
    return [.tensor(x.picking(positions, shape: shape))]
  }
}

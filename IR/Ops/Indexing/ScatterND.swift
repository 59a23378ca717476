import Support

/// `x` with parts updated by coordinates: each row of `indices`, along its last axis, names the element, or the part
/// that the axes left over span, to which the update of that row goes.
///
///     %0: f32[8, 64, 3]
///     %1: i64[10, 2]
///     %2: f32[10, 3]
///     %3 = scatter_nd %0, %1, %2 {reduction = add} : f32[8, 64, 3]
///
/// Updates are done in row-major order. Negative coordinates count from the end; others outside of their axis are an
/// error.
public struct ScatterND: OpKind {
  public static let mnemonics = ["scatter_nd"]
  public static let operands = [
    OperandSpec("x", .tensor), OperandSpec("indices", .integer), OperandSpec("updates", .tensor),
  ]

  public var reduction = ScatterReduction.none

  public init(mnemonic: String) {}
  public init(_ reduction: ScatterReduction = .none) { self.reduction = reduction }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("reduction", &reduction)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "scatter_nd")
    let indices = try inputs[1].dense("scatter_nd")
    let updates = try context.movable(inputs[2], "scatter_nd")
    try reduction.check(type, "scatter_nd")
    let places = try CoordinatePlaces(type.shape, indices.shape, batchDims: 0, "scatter_nd")
    let expected = places.rows + places.part
    let message = "scatter_nd: the updates \(updates) do not fit \(type) and the indices \(indices)"
    guard updates.element == type.element, updates.rank == expected.count else { throw .invalid(message) }
    for axis in 0..<updates.rank { try context.require(updates.shape[axis], equals: expected[axis], message) }
    return [
      reduction.facts(inputs, type) { () throws(Diagnostic) in
        guard let source = type.constantShape, let rows = indices.constantShape,
          let numbers = inputs[1].knownIntegers
        else { return nil }
        return try places.positions(source, rows, numbers)
      }
    ]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let indices = try inputs[1].expectTensor()
    let updates = try inputs[2].expectTensor()
    let places = try CoordinatePlaces(x.type.shape, indices.type.shape, batchDims: 0, "scatter_nd")
    guard updates.type.shape == places.rows + places.part else {
      throw .invalid("scatter_nd: updates of shape \(updates.shape) do not fit \(x.shape) and \(indices.shape)")
    }
    let positions = try places.positions(x.shape, indices.shape, indices.integers())
    return [.tensor(try reduction.scatter(updates, into: x, at: positions))]
  }
}

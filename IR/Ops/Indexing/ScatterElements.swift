import Support

/// `x` with single elements updated along `axis`: `updates[i, j]` goes to `[indices[i, j], j]` for axis 0.
///
///     %0: f32[8, 64]
///     %1: i64[3, 64]
///     %2: f32[3, 64]
///     %3 = scatter_elements %0, %1, %2 {axis = 0, reduction = add} : f32[8, 64]
///
/// Updates are done in row-major order. Along other axes `indices` may be shorter than `x`, not longer. Negative
/// indices count from the end; others outside of the axis are an error.
public struct ScatterElements: OpKind {
  public static let mnemonics = ["scatter_elements"]
  public static let operands = [
    OperandSpec("x", .tensor), OperandSpec("indices", .integer), OperandSpec("updates", .tensor),
  ]

  /// Negative axes count from the end.
  public var axis = 0
  public var reduction = ScatterReduction.none

  public init(mnemonic: String) {}
  public init(axis: Int, _ reduction: ScatterReduction = .none) {
    self.axis = axis
    self.reduction = reduction
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.choice("reduction", &reduction)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "scatter_elements")
    let indices = try inputs[1].dense("scatter_elements")
    let updates = try context.movable(inputs[2], "scatter_elements")
    try reduction.check(type, "scatter_elements")
    let places = try ElementPlaces(type, indices, axis: axis, "scatter_elements", context.symbols)
    let message = "scatter_elements: the updates \(updates) do not fit the indices \(indices)"
    guard updates.element == type.element, updates.rank == indices.rank else { throw .invalid(message) }
    for axis in 0..<updates.rank {
      try context.require(updates.shape[axis], equals: indices.shape[axis], message)
    }
    return [
      reduction.facts(inputs, type) { () throws(Diagnostic) in
        guard let source = type.constantShape, let shape = indices.constantShape,
          let numbers = inputs[1].knownIntegers
        else { return nil }
        return try places.positions(source, shape, numbers)
      }
    ]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let indices = try inputs[1].expectTensor()
    let updates = try inputs[2].expectTensor()
    guard updates.shape == indices.shape else {
      throw .invalid("scatter_elements: updates of shape \(updates.shape) do not fit indices of \(indices.shape)")
    }
    let places = try ElementPlaces(x.type, indices.type, axis: axis, "scatter_elements")
    let positions = try places.positions(x.shape, indices.shape, indices.integers())
    return [.tensor(try reduction.scatter(updates, into: x, at: positions))]
  }
}

import Support

/// Takes single elements of `x` along `axis`: element `[i, j]` of the result is `x[indices[i, j], j]` for axis 0.
///
///     %0: f32[8, 64]
///     %1: i64[3, 64]
///     %2 = gather_elements %0, %1 {axis = 0} : f32[3, 64]
///
/// Along other axes `indices` may be shorter than `x`, not longer. Negative indices count from the end; others outside
/// of the axis are an error.
public struct GatherElements: OpKind {
  public static let mnemonics = ["gather_elements"]
  public static let operands = [OperandSpec("x", .tensor), OperandSpec("indices", .integer)]

  /// Negative axes count from the end.
  public var axis = 0

  public init(mnemonic: String) {}
  public init(axis: Int) { self.axis = axis }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "gather_elements")
    let indices = try inputs[1].dense("gather_elements")
    let places = try ElementPlaces(type, indices, axis: axis, "gather_elements", context.symbols)
    return [
      inputs[0].moved(to: type.with(shape: indices.shape)) { shape in
        guard let source = type.constantShape, let numbers = inputs[1].knownIntegers else { return nil }
        return try? places.positions(source, shape, numbers)
      }
    ]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let indices = try inputs[1].expectTensor()
    let places = try ElementPlaces(x.type, indices.type, axis: axis, "gather_elements")
    let positions = try places.positions(x.shape, indices.shape, indices.integers())
    return [.tensor(x.picking(positions, shape: indices.shape))]
  }
}

import Support

/// Takes slices of `x` along `axis` by number: the axis is replaced by the axes of `indices`.
///
///     %0: f32[1000, 128]
///     %1: i64[4, 16]
///     %2 = gather %0, %1 {axis = 0} : f32[4, 16, 128]
///
/// Negative indices count from the end; others outside of the axis are an error. Rows of block types may be gathered
/// whole, along any axis but the last.
public struct Gather: OpKind {
  public static let mnemonics = ["gather"]
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
    let indices = try inputs[1].dense("gather")
    var type = try inputs[0].tensor("gather")
    let axis = try normalized(axis: axis, rank: type.rank, "gather")
    if case .block = type.element {
      guard type.layout == nil, axis < type.rank - 1 else {
        throw .unsupported("gather: cannot take parts of the blocks of \(type)")
      }
    } else {
      type = try context.movable(inputs[0], "gather")
    }
    if let extent = type.shape[axis].constant, let numbers = inputs[1].knownIntegers {
      for number in numbers { _ = try Gather.resolve(number, extent) }
    }
    let result = type.with(shape: type.shape[..<axis] + indices.shape + type.shape[(axis + 1)...])
    return [
      inputs[0].moved(to: result) { _ in
        guard let source = type.constantShape, let numbers = inputs[1].knownIntegers else { return nil }
        return try? Gather.positions(source, axis: axis, numbers)
      }
    ]
  }

  private static func resolve(_ index: Int, _ extent: Int) throws(Diagnostic) -> Int {
    guard index >= -extent, index < extent else {
      throw .invalid("gather: index \(index) out of range for extent \(extent)")
    }
    return index < 0 ? index + extent : index
  }

  private static func positions(_ shape: [Int], axis: Int, _ indices: [Int]) throws(Diagnostic) -> [Int] {
    let inner = shape[(axis + 1)...].reduce(1, *)
    var rows: [Int] = []
    for index in indices { rows.append(try resolve(index, shape[axis]) * inner) }
    var result: [Int] = []
    for outer in 0..<shape[..<axis].reduce(1, *) {
      let base = outer * shape[axis] * inner
      for row in rows { result.append(contentsOf: base + row..<base + row + inner) }
    }
    return result
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let indices = try inputs[1].expectTensor()
    let axis = try normalized(axis: axis, rank: x.shape.count, "gather")
    let shape = Array(x.shape[..<axis]) + indices.shape + x.shape[(axis + 1)...]
    try checkAllocatable(shape, "gather")
    guard case .block(let format) = x.element else {
      return [.tensor(x.picking(try Gather.positions(x.shape, axis: axis, indices.integers()), shape: shape))]
    }
    // Blocks move as groups of bytes: the last axis shrinks to the bytes of a row.
    var bytesShape = x.shape
    bytesShape[bytesShape.count - 1] = x.shape[x.shape.count - 1] / format.valuesPerBlock * format.bytesPerBlock
    let raw = try Tensor(element: .plain(.u8), shape: bytesShape, bytes: x.bytes)
    let positions = try Gather.positions(bytesShape, axis: axis, indices.integers())
    return [
      .tensor(
        try Tensor(element: x.element, shape: shape, bytes: raw.picking(positions, shape: [positions.count]).bytes))
    ]
  }
}

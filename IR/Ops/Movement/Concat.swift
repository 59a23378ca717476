import Support

/// Puts tensors one behind the other along `axis`.
///
///     %0: f32[8, 64]
///     %1: f32[8, 32]
///     %2 = concat %0, %1 {axis = 1} : f32[8, 96]
public struct Concat: OpKind {
  public static let mnemonics = ["concat"]
  public static let operands = [OperandSpec("parts", .tensor, .many)]

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
    guard let first = inputs.first else { throw .invalid("concat takes at least one operand") }
    let type = try context.movable(first, "concat")
    let axis = try normalized(axis: axis, rank: type.rank, "concat")
    var shape = type.shape
    for input in inputs.dropFirst() {
      let part = try context.movable(input, "concat")
      guard part.element == type.element, part.rank == type.rank else {
        throw .invalid("concat: cannot join \(type) and \(part)")
      }
      for other in 0..<type.rank where other != axis {
        try context.require(shape[other], equals: part.shape[other], "concat: cannot join \(type) and \(part)")
        if shape[other].constant == nil, part.shape[other].constant != nil { shape[other] = part.shape[other] }
      }
      shape[axis] = shape[axis] + part.shape[axis]
    }
    let result = type.with(shape: shape)
    return [ValueFact(result, holding: elements(inputs, axis, result))]
  }

  private func elements(_ inputs: [ValueFact], _ axis: Int, _ result: TensorType) -> [Dim]? {
    guard let shape = result.constantShape, countSaturating(shape) <= ValueFact.limit else { return nil }
    var all: [Dim] = []
    var parts: [[Int]] = []
    for input in inputs {
      guard let known = input.known else { return nil }
      all += known.elements
      parts.append(known.shape)
    }
    return Concat.positions(parts, axis: axis).map { all[$0] }
  }

  /// Where the result's elements lie in the parts laid out one after the other.
  private static func positions(_ parts: [[Int]], axis: Int) -> [Int] {
    let outer = parts[0][..<axis].reduce(1, *)
    let lengths = parts.map { $0[axis...].reduce(1, *) }
    var starts = [0]
    for length in lengths { starts.append(starts[starts.count - 1] + length * outer) }
    var result: [Int] = []
    result.reserveCapacity(outer * lengths.reduce(0, +))
    for row in 0..<outer {
      for (part, length) in lengths.enumerated() {
        let start = starts[part] + row * length
        result.append(contentsOf: start..<start + length)
      }
    }
    return result
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var parts: [Tensor] = []
    for input in inputs { parts.append(try input.expectTensor()) }
    guard let first = parts.first else { throw .bug("concat has no operands") }
    let axis = try normalized(axis: axis, rank: first.shape.count, "concat")
    var shape = first.shape
    for part in parts.dropFirst() {
      var expected = shape
      guard part.shape.count == shape.count else {
        throw .invalid("concat: cannot join \(first.shape) and \(part.shape)")
      }
      expected[axis] = part.shape[axis]
      guard part.shape == expected else { throw .invalid("concat: cannot join \(first.shape) and \(part.shape)") }
      shape[axis] += part.shape[axis]
    }
    try checkAllocatable(shape, "concat")
    let joined = try Tensor.joined(parts)
    if shape[..<axis].allSatisfy({ $0 == 1 }) { return [.tensor(joined.reshaped(shape))] }
    return [.tensor(joined.picking(Concat.positions(parts.map(\.shape), axis: axis), shape: shape))]
  }
}

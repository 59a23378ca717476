import Support

/// The members of a sequence of tensors side by side along `axis`, or, with `stack`, along a new axis there.
///
///     symbol any in 0...100
///     %0: seq<f32[any, 4]>
///     %1 = sequence_join %0 {axis = 0, shape = [s, 4]} : f32[s, 4]
///
/// `shape` is that of the result: symbols that get their values here, or expressions that the extents must equal.
public struct SequenceJoin: OpKind {
  public static let mnemonics = ["sequence_join"]
  public static let operands = [OperandSpec("sequence", .any)]

  public var axis = 0
  public var stack = false
  public var shape: [Dim] = []

  public init(mnemonic: String) {}
  public init(axis: Int, stack: Bool, shape: [Dim]) {
    self.axis = axis
    self.stack = stack
    self.shape = shape
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.bool("stack", &stack)
    try visitor.dims("shape", &shape)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let member = try inputs[0].members("sequence_join")
    try checkExtents(shape, "sequence_join")
    guard (0..<shape.count).contains(axis) else {
      throw .invalid("sequence_join: axis \(axis) is outside of rank \(shape.count)")
    }
    var open = shape
    if stack { open.remove(at: axis) }
    switch member {
    case .anyTensor(let element): return [ValueFact(element, shape)]
    case .tensor(let type):
      guard type.layout == nil, type.element.storage != nil, type.rank == open.count,
        open.indices.allSatisfy({ number in
          let extent = type.shape[number]
          return extent == open[number] || extent.symbolName != nil || (!stack && number == axis)
        })
      else { throw .invalid("sequence_join: members of type \(type) cannot make up \(shape)") }
      return [ValueFact(type.with(shape: shape))]
    case .sequence, .optional: throw .invalid("sequence_join: the members are \(member), expected tensors")
    }
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var parts: [Tensor] = []
    for member in try inputs[0].members("sequence_join") {
      let part = try member.expectTensor()
      guard part.shape.count == shape.count - (stack ? 1 : 0) else {
        throw .invalid(
          "sequence_join: a member has rank \(part.shape.count), expected \(shape.count - (stack ? 1 : 0))")
      }
      var extents = part.shape
      if stack { extents.insert(1, at: axis) }
      parts.append(part.reshaped(extents))
    }
    guard let first = parts.first else { throw .invalid("sequence_join: the sequence is empty") }
    var total = 0
    for part in parts {
      guard part.shape.indices.allSatisfy({ $0 == axis || part.shape[$0] == first.shape[$0] }) else {
        throw .invalid("sequence_join: members of shapes \(first.shape) and \(part.shape) do not join")
      }
      total += part.shape[axis]
    }
    var extents = first.shape
    extents[axis] = total
    try checkAllocatable(extents, "sequence_join")
    let inner = extents[(axis + 1)...].reduce(1, *)
    var starts: [Int] = []
    var offset = 0
    for part in parts {
      starts.append(offset)
      offset += part.count
    }
    var positions: [Int] = []
    for outer in 0..<extents[..<axis].reduce(1, *) {
      for (part, start) in zip(parts, starts) {
        let row = part.shape[axis] * inner
        positions += (start + outer * row)..<(start + (outer + 1) * row)
      }
    }
    return [.tensor(try Tensor.joined(parts).picking(positions, shape: extents))]
  }
}

import Support

/// A tensor as a sequence of its parts along `axis`. `sizes` is one extent, of which the last part may have less, or one
/// for each part; without it parts are single elements, which with `keep = false` lose the axis.
///
///     symbol any in 0...100
///     %0: f32[n, 4]
///     %1: i64[]
///     %2 = sequence_split %0, %1 {axis = 0, member = f32[any, 4]} : seq<f32[any, 4]>
public struct SequenceSplit: OpKind {
  public static let mnemonics = ["sequence_split"]
  public static let operands = [OperandSpec("x", .tensor), OperandSpec("sizes", .integer, .optional)]

  public var axis = 0
  public var keep = true
  /// What the parts are, with a symbol for an extent in which they may differ.
  public var member: ValueType?

  public init(mnemonic: String) {}
  public init(axis: Int, keep: Bool, member: ValueType) {
    self.axis = axis
    self.keep = keep
    self.member = member
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.bool("keep", &keep)
    try visitor.type("member", &member)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "sequence_split")
    guard (0..<type.rank).contains(axis) else {
      throw .invalid("sequence_split: axis \(axis) is outside of rank \(type.rank)")
    }
    var isSingle = true
    if let sizes = inputs.present(1) {
      guard let given = sizes.type.tensor, given.plain == .i64, given.rank <= 1 else {
        throw .invalid("sequence_split: the sizes are \(sizes.type), expected i64[] or i64[n]")
      }
      isSingle = false
    }
    var shape = type.shape
    if !keep {
      guard isSingle else { throw .invalid("sequence_split: only single elements lose their axis") }
      shape.remove(at: axis)
    } else if isSingle {
      shape[axis] = 1
    }
    guard let member, let parts = member.tensor, parts.rank == shape.count, parts.element == type.element,
      shape.indices.allSatisfy({
        parts.shape[$0] == shape[$0] || parts.shape[$0].symbolName != nil || isOpen($0, isSingle)
      })
    else { throw .invalid("sequence_split: parts of \(type) are not \(member?.description ?? "given a type")") }
    return [ValueFact(.sequence(member))]
  }

  private func isOpen(_ number: Int, _ isSingle: Bool) -> Bool { number == axis && keep && !isSingle }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let extent = x.shape[axis]
    var sizes: [Int] = []
    let given = try inputs.present(1)
    if let given, given.shape.count == 1 {
      sizes = given.integers()
      guard sizes.allSatisfy({ $0 >= 0 && $0 <= extent }), sizes.reduce(0, +) == extent else {
        throw .invalid("sequence_split: parts of \(sizes) do not make up \(extent) elements")
      }
    } else {
      let size = given?.integers().first ?? 1
      guard size > 0 else { throw .invalid("sequence_split: parts of \(size) elements do not exist") }
      sizes = stride(from: 0, to: extent, by: size).map { min(size, extent - $0) }
    }
    let strides = rowMajorStrides(x.shape)
    var start = 0
    var parts: [Value] = []
    for size in sizes {
      var shape = x.shape
      shape[axis] = size
      let part = x.gathered(shape, strides: strides, offset: start * strides[axis])
      if !keep { shape.remove(at: axis) }
      parts.append(.tensor(part.reshaped(shape)))
      start += size
    }
    if case .sequence(let member) = call.resultTypes.first, let type = member.tensor {
      for part in parts {
        guard let shape = part.tensor?.shape else { continue }
        for (dim, extent) in zip(type.shape, shape) where dim.constant.map({ $0 != extent }) ?? false {
          throw .invalid("sequence_split: a part has shape \(shape), expected \(type)")
        }
      }
    }
    return [.sequence(parts)]
  }
}

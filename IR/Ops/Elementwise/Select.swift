import Support

/// Takes each element from `a` where `condition` holds and from `b` elsewhere; all three broadcast.
///
///     %0: bool[8, 1]
///     %1: f32[8, 128]
///     %2: f32[]
///     %3 = select %0, %1, %2 : f32[8, 128]
public struct Select: OpKind {
  public static let mnemonics = ["select"]
  public static let operands = [
    OperandSpec("condition", .bool), OperandSpec("a", .tensor), OperandSpec("b", .tensor),
  ]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let condition = try inputs[0].dense("select")
    let a = try context.movable(inputs[1], "select")
    let b = try context.movable(inputs[2], "select")
    guard condition.plain == .bool, a.element == b.element else {
      throw .invalid("select: cannot choose between \(a) and \(b) by \(condition)")
    }
    let shape = try context.broadcast(condition.shape, try context.broadcast(a.shape, b.shape, "select"), "select")
    let type = a.with(shape: shape)
    guard let choice = inputs[0].known, let chosen = inputs[0].knownIntegers, let extents = type.constantShape,
      countSaturating(extents) <= ValueFact.limit, let x = inputs[1].known, let y = inputs[2].known
    else { return [ValueFact(type)] }
    let conditions = stretched(chosen, choice.shape, to: extents)
    let left = stretched(x.elements, x.shape, to: extents)
    let right = stretched(y.elements, y.shape, to: extents)
    return [ValueFact(type, holding: conditions.indices.map { conditions[$0] != 0 ? left[$0] : right[$0] })]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let condition = try inputs[0].expectTensor()
    let a = try inputs[1].expectTensor()
    let b = try inputs[2].expectTensor()
    let shape = try broadcastShape(condition.shape, try broadcastShape(a.shape, b.shape, "select"), "select")
    let conditions = stretched(condition.integers(), condition.shape, to: shape)
    let left = stridedPositions(shape, strides: broadcastStrides(a.shape, to: shape))
    let right = stridedPositions(shape, strides: broadcastStrides(b.shape, to: shape), offset: a.count)
    let positions = conditions.indices.map { conditions[$0] != 0 ? left[$0] : right[$0] }
    return [.tensor(try Tensor.joined([a, b]).picking(positions, shape: shape))]
  }
}

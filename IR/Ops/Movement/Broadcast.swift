import Support

/// Stretches `x` to `shape`, as NumPy's `broadcast_to`: axes align at the end, an extent of 1 repeats.
///
///     %0: f32[64, 1]
///     %1 = broadcast %0 {shape = [8, 64, 128]} : f32[8, 64, 128]
public struct Broadcast: OpKind {
  public static let mnemonics = ["broadcast"]
  public static let operands = [OperandSpec("x", .tensor)]

  public var shape: [Dim] = []

  public init(mnemonic: String) {}
  public init(shape: [Dim]) { self.shape = shape }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dims("shape", &shape)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "broadcast")
    try checkExtents(shape, "broadcast")
    try context.require(type.shape, broadcastsTo: shape, "broadcast")
    return [
      inputs[0].moved(to: type.with(shape: shape)) { target in
        guard let source = type.constantShape else { return nil }
        return stridedPositions(target, strides: broadcastStrides(source, to: target))
      }
    ]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let shape = try call.shape(shape, "broadcast")
    guard try broadcastShape(x.shape, shape, "broadcast") == shape else {
      throw .invalid("broadcast: the shape \(x.shape) does not broadcast to \(shape)")
    }
    return [.tensor(x.gathered(shape, strides: broadcastStrides(x.shape, to: shape)))]
  }
}

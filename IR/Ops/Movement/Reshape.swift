import Support

/// The same elements in the same row-major order under another shape.
///
///     %0: f32[8, 64, 128]
///     %1 = reshape %0 {shape = [512, 128]} : f32[512, 128]
public struct Reshape: OpKind {
  public static let mnemonics = ["reshape"]
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
    let type = try context.movable(inputs[0], "reshape")
    try checkExtents(shape, "reshape")
    let result = type.with(shape: shape)
    try context.require(
      type.elementCount, equals: result.elementCount, "reshape: \(type) has another number of elements than \(result)")
    return [ValueFact(result, holding: inputs[0].known?.elements)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let shape = try call.shape(shape, "reshape")
    guard shape.reduce(1, *) == x.count else {
      throw .invalid("reshape: \(x.shape) has another number of elements than \(shape)")
    }
    return [.tensor(x.reshaped(shape))]
  }
}

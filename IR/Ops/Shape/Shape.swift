import Support

/// The extents of `x`.
///
///     %0: f32[n, 64]
///     %1 = shape %0 : i64[2]
public struct Shape: OpKind {
  public static let mnemonics = ["shape"]
  public static let operands = [OperandSpec("x", .tensor)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].tensor("shape")
    return [ValueFact(TensorType(.i64, [Dim(type.rank)]), holding: type.shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    return [.tensor(Tensor(.i64, [x.shape.count], integers: x.shape))]
  }
}

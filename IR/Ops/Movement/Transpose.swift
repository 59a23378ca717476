import Support

/// Reorders axes: axis `i` of the result is axis `permutation[i]` of `x`.
///
///     %0: f32[8, 64, 128]
///     %1 = transpose %0 {permutation = [0, 2, 1]} : f32[8, 128, 64]
public struct Transpose: OpKind {
  public static let mnemonics = ["transpose"]
  public static let operands = [OperandSpec("x", .tensor)]

  public var permutation: [Int] = []

  public init(mnemonic: String) {}
  public init(permutation: [Int]) { self.permutation = permutation }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.ints("permutation", &permutation)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "transpose")
    guard permutation.sorted() == Array(0..<type.rank) else {
      throw .invalid("transpose: \(permutation) does not permute the axes of \(type)")
    }
    let result = type.with(shape: permutation.map { type.shape[$0] })
    return [
      inputs[0].moved(to: result) { shape in
        guard let source = type.constantShape else { return nil }
        let strides = rowMajorStrides(source)
        return stridedPositions(shape, strides: permutation.map { strides[$0] })
      }
    ]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let shape = permutation.map { x.shape[$0] }
    let strides = rowMajorStrides(x.shape)
    return [.tensor(x.gathered(shape, strides: permutation.map { strides[$0] }))]
  }
}

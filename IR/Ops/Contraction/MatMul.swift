import Support

/// Matrix product of the last two axes; the axes before them broadcast. `bias` is added to the result.
///
///     %0: f32[8, 64, 128]
///     %1: f32[32, 128]
///     %2: f32[32]
///     %3 = matmul %0, %1, %2 {transpose_rhs = true} : f32[8, 64, 32]
///
/// Floats of one type give that type; u8 or i8 times i8 gives i32, exactly, wrapping. `b` may be packed: its type then
/// has a layout and keeps its logical shape.
public struct MatMul: OpKind {
  public static let mnemonics = ["matmul"]
  public static let operands = [
    OperandSpec("a", .number), OperandSpec("b", .number), OperandSpec("bias", .number, .optional),
  ]

  public var transposeLHS = false
  public var transposeRHS = false

  public init(mnemonic: String) {}
  public init(transposeLHS: Bool = false, transposeRHS: Bool = false) {
    self.transposeLHS = transposeLHS
    self.transposeRHS = transposeRHS
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.bool("transpose_lhs", &transposeLHS)
    try visitor.bool("transpose_rhs", &transposeRHS)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let a = try inputs[0].dense("matmul")
    let b = try contractionWeights(inputs[1], "matmul")
    if b.layout != nil, transposeRHS { throw .invalid("matmul: transpose_rhs is set, but b is packed: \(b)") }
    let element = try contractionElement(a, b, "matmul")
    let shape = try resultShape(a.shape, b.shape, &context)
    if let bias = try inputs.present(2)?.dense("matmul") {
      guard bias.plain == element else { throw .invalid("matmul: the bias is \(bias), expected \(element)") }
      try context.require(bias.shape, broadcastsTo: shape, "matmul")
    }
    return [ValueFact(element, shape)]
  }

  private func resultShape(_ a: [Dim], _ b: [Dim], _ context: inout InferenceContext) throws(Diagnostic) -> [Dim] {
    guard a.count >= 2, b.count >= 2 else {
      throw .invalid("matmul: the operands have shapes \(a) and \(b), expected at least two axes each")
    }
    var (rows, inner) = (a[a.count - 2], a[a.count - 1])
    if transposeLHS { swap(&rows, &inner) }
    var (depth, columns) = (b[b.count - 2], b[b.count - 1])
    if transposeRHS { swap(&depth, &columns) }
    try context.require(inner, equals: depth, "matmul: the summed extents of \(a) and \(b) differ")
    return try context.broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)), "matmul") + [rows, columns]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    var a = try inputs[0].expectTensor()
    var b = try inputs[1].expectTensor()
    let element = try contractionElement(a.type, b.type, "matmul")
    var context = InferenceContext()
    let shape = try allocatable(try resultShape(a.type.shape, b.type.shape, &context), "matmul")
    if transposeLHS { a = MatMul.swappingLastAxes(a) }
    if transposeRHS { b = MatMul.swappingLastAxes(b) }
    let (m, k, n) = (shape[shape.count - 2], a.shape[a.shape.count - 1], shape[shape.count - 1])
    // Where each product's matrices start: batch positions count in matrices.
    let batch = Array(shape.dropLast(2))
    let aBatch = stridedPositions(batch, strides: broadcastStrides(Array(a.shape.dropLast(2)), to: batch))
    let bBatch = stridedPositions(batch, strides: broadcastStrides(Array(b.shape.dropLast(2)), to: batch))
    let (x, y) = (a.doubles(), b.doubles())
    var sums = [Double](repeating: 0, count: shape.reduce(1, *))
    if sums.isEmpty || k == 0 {
      return [try contractionResult(sums, shape, element, bias: try inputs.present(2), "matmul")]
    }
    x.withUnsafeBufferPointer { x in
      y.withUnsafeBufferPointer { y in
        sums.withUnsafeMutableBufferPointer { out in
          guard let x = x.baseAddress, let y = y.baseAddress, let out = out.baseAddress else { return }
          for product in aBatch.indices {
            let right = y + bBatch[product] * k * n
            for row in 0..<m {
              let left = x + (aBatch[product] * m + row) * k
              accumulate(out + (product * m + row) * n, columns: n, left, count: k, right, stride: n)
            }
          }
        }
      }
    }
    return [try contractionResult(sums, shape, element, bias: try inputs.present(2), "matmul")]
  }

  private static func swappingLastAxes(_ tensor: Tensor) -> Tensor {
    var (shape, strides) = (tensor.shape, rowMajorStrides(tensor.shape))
    shape.swapAt(shape.count - 2, shape.count - 1)
    strides.swapAt(strides.count - 2, strides.count - 1)
    return tensor.gathered(shape, strides: strides)
  }
}

import IR
import Support

/// The right operand of a contraction before it is packed: `[batch..., K, N]` in whatever order it lies.
struct RightMatrix {
  var value: ValueID
  var type: TensorType
  /// Elements from one k, and one n, to the next.
  var rowStride: Dim
  var columnStride: Dim
  /// Axes in front of the matrix.
  var batchShape: [Dim] { Array(type.shape.dropLast(2)) }
}

/// A packed right operand.
struct PackedRight {
  var buffer: BufferID
  /// Elements from one batch to the next, by axis of the result's batch.
  var strides: [Dim]
  /// What a signed left operand's shift adds to each column's sum, as i32.
  var correction: BufferID?
  var correctionStrides: [Dim]
}

extension ProgramBuilder {
  /// Packs a constant matrix at compile time, any other by a kernel in front of the contraction.
  func pack(
    _ matrix: RightMatrix, _ layout: PanelLayout, _ multiplication: Multiplication, batch: [Dim], site: String
  ) throws(Diagnostic) -> PackedRight {
    let batchShape = matrix.batchShape
    let packedBatch = batchStrides(batchShape, each: layout.elements, over: batch)
    let correctionBatch = batchStrides(batchShape, each: layout.columns, over: batch)
    let isShifted = multiplication.arithmetic == .dot4(signedLeft: true)

    if let (key, tensor) = constant(matrix.value) {
      let (buffer, correction) = try packWeight(key, tensor, matrix, layout, multiplication, isShifted)
      return PackedRight(
        buffer: buffer, strides: packedBatch, correction: correction, correctionStrides: correctionBatch)
    }
    return try pack(
      matrix, from: try buffer(of: matrix.value), layout, multiplication, batch: batch, isShifted: isShifted, site: site
    )
  }

  /// Packs by a kernel, from any buffer that holds the matrix.
  func pack(
    _ matrix: RightMatrix, from source: BufferID, _ layout: PanelLayout, _ multiplication: Multiplication,
    batch: [Dim], isShifted: Bool, site: String
  ) throws(Diagnostic) -> PackedRight {
    let batchShape = matrix.batchShape
    let packedBatch = batchStrides(batchShape, each: layout.elements, over: batch)
    let correctionBatch = batchStrides(batchShape, each: layout.columns, over: batch)
    let batchCount = batchShape.reduce(Dim(1), *)
    let bytes = layout.elements * batchCount * multiplication.panelScalar.bytes
    let buffer = addBuffer("packed \(label(matrix.value))", bytes: bytes, .workspace)
    let correction =
      isShifted
      ? addBuffer("sums of \(label(matrix.value))", bytes: layout.columns * batchCount * 4, .workspace) : nil
    let element = try matrix.type.elementForCode()
    try dispatch("pack", at: site) { scope throws(Diagnostic) in
      try PackGenerator(
        layout: layout, multiplication: multiplication, batch: batchCount,
        source: TensorView(
          source, element,
          strides: [matrix.type.shape.suffix(2).reduce(Dim(1), *), matrix.rowStride, matrix.columnStride]),
        target: buffer, sums: correction
      ).generate(scope)
    }
    return PackedRight(
      buffer: buffer, strides: packedBatch, correction: correction, correctionStrides: correctionBatch)
  }

  /// Strides over the result's batch axes of matrices of `each` elements, stretched where they broadcast.
  private func batchStrides(_ shape: [Dim], each: Dim, over batch: [Dim]) -> [Dim] {
    TensorView(BufferID(0), .f32, strides: rowMajorStrides(shape).map { $0 * each }).broadcast(from: shape, to: batch)
      .strides
  }

  func packWeight(
    _ source: WeightKey, _ tensor: Tensor, _ matrix: RightMatrix, _ layout: PanelLayout,
    _ multiplication: Multiplication, _ isShifted: Bool
  ) throws(Diagnostic) -> (BufferID, BufferID?) {
    guard let rowStride = matrix.rowStride.constant, let columnStride = matrix.columnStride.constant,
      let elements = layout.elements.constant, let depth = layout.depth.constant,
      let columns = layout.columns.constant, let shape = matrix.type.constantShape
    else { throw .bug("the weight @\(source.label) has no constant shape") }
    let batches = shape.dropLast(2).reduce(1, *)
    let matrixElements = shape.suffix(2).reduce(1, *)
    let elementBytes = multiplication.panelScalar.bytes
    let panelElement = multiplication.panelElement
    // One weight may be packed as several matrices, with other groups or another number of them: the key says all.
    let key = source.derived(
      "\(panelElement)_panels\(layout.width)x\(layout.group)_\(batches)x\(depth)x\(columns)"
        + "_\(rowStride)_\(columnStride)")
    let buffer = weightBuffer(key, bytes: elements * batches * elementBytes) {
      let source =
        tensor.storage == panelElement
        ? tensor.bytes : Tensor(panelElement, [tensor.count], doubles: tensor.doubles()).bytes
      if batches == 1 {
        return layout.pack(
          source, elementBytes: elementBytes, offset: 0, rowStride: rowStride, columnStride: columnStride)
      }
      return ByteView(count: elements * batches * elementBytes) { target in
        for batch in 0..<batches {
          let packed = layout.pack(
            source, elementBytes: elementBytes, offset: batch * matrixElements, rowStride: rowStride,
            columnStride: columnStride)
          packed.withBytes { bytes in
            for (number, byte) in bytes.enumerated() { target[batch * elements * elementBytes + number] = byte }
          }
        }
      }
    }
    guard isShifted else { return (buffer, nil) }
    let correction = weightBuffer(key.derived("sums"), bytes: batches * columns * 4) {
      let values = tensor.integers()
      var sums = [Int](repeating: 0, count: batches * columns)
      for batch in 0..<batches {
        for k in 0..<depth {
          for n in 0..<columns {
            sums[batch * columns + n] += 128 * values[batch * matrixElements + k * rowStride + n * columnStride]
          }
        }
      }
      return Tensor(.i32, [sums.count], integers: sums).bytes
    }
    return (buffer, correction)
  }
}

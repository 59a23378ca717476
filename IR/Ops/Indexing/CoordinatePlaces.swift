import Support

/// Where parts of a tensor lie that rows of coordinates name.
public struct CoordinatePlaces {
  private let op: String
  private let batchDims: Int
  /// Coordinates in a row.
  public let depth: Int
  /// The shape of all rows, and of the part that one row names.
  public let rows: [Dim]
  public let part: [Dim]

  public init(_ x: [Dim], _ indices: [Dim], batchDims: Int, _ op: String) throws(Diagnostic) {
    guard let depth = indices.last?.constant else {
      throw .unsupported("\(op): the indices have shape \(indices), whose last extent is not known")
    }
    guard batchDims >= 0, batchDims < indices.count, depth >= 0, depth <= x.count - batchDims else {
      throw .invalid("\(op): indices of shape \(indices) with batch_dims = \(batchDims) do not fit shape \(x)")
    }
    self.op = op
    self.batchDims = batchDims
    self.depth = depth
    rows = Array(indices.dropLast())
    part = Array(x[(batchDims + depth)...])
  }

  /// Row-major numbers in a tensor of shape `source`, for all elements that the coordinates name.
  func positions(_ source: [Int], _ shape: [Int], _ coordinates: [Int]) throws(Diagnostic) -> [Int] {
    guard shape[..<batchDims] == source[..<batchDims] else {
      throw .invalid("\(op): \(source) and \(shape) differ in the first \(batchDims) extents")
    }
    let strides = rowMajorStrides(source)
    let inner = source[(batchDims + depth)...].reduce(1, *)
    let batchSize = source[batchDims...].reduce(1, *)
    let count = shape.dropLast().reduce(1, *)
    let rowsInBatch = shape[batchDims..<shape.count - 1].reduce(1, *)
    var result: [Int] = []
    result.reserveCapacity(count * inner)
    for row in 0..<count {
      var base = row / rowsInBatch * batchSize
      for number in 0..<depth {
        let axis = batchDims + number
        base += try resolvedIndex(coordinates[row * depth + number], source[axis], op) * strides[axis]
      }
      result.append(contentsOf: base..<base + inner)
    }
    return result
  }
}

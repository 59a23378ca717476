import Support

/// Where elements lie that are addressed by an index along one axis and by their own place along the others.
struct ElementPlaces {
  private let op: String
  private let axis: Int

  /// Checks that `indices` has the rank of `x` and is nowhere longer, except along the axis itself.
  init(
    _ x: TensorType, _ indices: TensorType, axis: Int, _ op: String, _ symbols: [String: ClosedRange<Int>] = [:]
  ) throws(Diagnostic) {
    guard indices.rank == x.rank else {
      throw .invalid("\(op): the indices are \(indices), which has another rank than \(x)")
    }
    self.op = op
    self.axis = try normalized(axis: axis, rank: x.rank, op)
    for other in 0..<x.rank where other != self.axis {
      guard (x.shape[other] - indices.shape[other]).bounds(symbols).upperBound >= 0 else {
        throw .invalid("\(op): axis \(other) of the indices \(indices) is longer than that of \(x)")
      }
    }
  }

  /// Row-major numbers in a tensor of shape `source`, one for each of the indices, which have the shape `shape`.
  func positions(_ source: [Int], _ shape: [Int], _ indices: [Int]) throws(Diagnostic) -> [Int] {
    var strides = rowMajorStrides(source)
    let step = strides[axis]
    strides[axis] = 0
    var positions = stridedPositions(shape, strides: strides)
    for (number, index) in indices.enumerated() {
      positions[number] += try resolvedIndex(index, source[axis], op) * step
    }
    return positions
  }
}

/// An index counted from the start, checked to be inside of an axis.
func resolvedIndex(_ index: Int, _ extent: Int, _ op: String) throws(Diagnostic) -> Int {
  guard index >= -extent, index < extent else {
    throw .invalid("\(op): index \(index) out of range for extent \(extent)")
  }
  return index < 0 ? index + extent : index
}

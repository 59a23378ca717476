import Support

/// The order of the elements of a tensor: that of numbers, with NaN behind all of them. Zeros are equal, and so are
/// NaNs.
struct ElementOrder {
  private let floats: [Double]
  private let integers: [Int]
  private let isUnsigned: Bool

  init(_ tensor: Tensor) {
    isUnsigned = tensor.storage == .u64
    floats = tensor.isFloat ? tensor.doubles() : []
    integers = tensor.isFloat ? [] : tensor.integers()
  }

  /// Less than zero where element `a` comes before element `b`, zero where they are equal.
  func compare(_ a: Int, _ b: Int) -> Int {
    if floats.isEmpty {
      let (x, y) = (integers[a], integers[b])
      if x == y { return 0 }
      let isLess = isUnsigned ? UInt(bitPattern: x) < UInt(bitPattern: y) : x < y
      return isLess ? -1 : 1
    }
    let (x, y) = (floats[a], floats[b])
    if x.isNaN || y.isNaN { return x.isNaN ? (y.isNaN ? 0 : 1) : -1 }
    return x == y ? 0 : x < y ? -1 : 1
  }
}

/// Lines along one axis of a dense tensor: element `i` of a line is at `start + i * stride`.
struct AxisLines {
  let outer: Int
  let extent: Int
  let stride: Int

  init(_ shape: [Int], axis: Int) {
    outer = shape[..<axis].reduce(1, *)
    extent = shape[axis]
    stride = shape[(axis + 1)...].reduce(1, *)
  }

  /// Where the lines start, in row-major order of the other axes.
  var starts: [Int] {
    var result: [Int] = []
    for block in 0..<outer { result.append(contentsOf: block * extent * stride..<block * extent * stride + stride) }
    return result
  }
}

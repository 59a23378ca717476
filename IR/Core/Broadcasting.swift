import Support

// NumPy's broadcasting, for types and for values, and the walk over strided elements that movement ops share.

extension InferenceContext {
  /// The common shape of two operands: an extent of 1 stretches, other extents must agree.
  public mutating func broadcast(_ a: [Dim], _ b: [Dim], _ op: String) throws(Diagnostic) -> [Dim] {
    let rank = max(a.count, b.count)
    var result: [Dim] = []
    for axis in 0..<rank {
      let x = axis < rank - a.count ? Dim(1) : a[axis - (rank - a.count)]
      let y = axis < rank - b.count ? Dim(1) : b[axis - (rank - b.count)]
      if x.constant == 1 {
        result.append(y)
      } else if y.constant == 1 {
        result.append(x)
      } else {
        try require(x, equals: y, "\(op): the shapes \(a) and \(b) do not broadcast")
        result.append(y.constant == nil ? x : y)
      }
    }
    return result
  }

  /// Demands that `shape` stretches to `target`, which must not change.
  public mutating func require(_ shape: [Dim], broadcastsTo target: [Dim], _ op: String) throws(Diagnostic) {
    guard shape.count <= target.count else {
      throw .invalid("\(op): the shape \(shape) does not broadcast to \(target)")
    }
    let skipped = target.count - shape.count
    for (axis, dim) in shape.enumerated() where dim.constant != 1 {
      try require(dim, equals: target[axis + skipped], "\(op): the shape \(shape) does not broadcast to \(target)")
    }
  }

  /// An operand whose elements may move freely: dense, and with the same parameters everywhere when quantized.
  public func movable(_ fact: ValueFact, _ op: String) throws(Diagnostic) -> TensorType {
    let type = try fact.dense(op)
    if case .quantized(_, let name) = type.element, quantizations[name]?.axis != nil {
      throw .unsupported("\(op): an operand is \(type), whose parameters differ along an axis")
    }
    return type
  }
}

/// The most elements `evaluate` makes in one tensor; a shape from a hostile file must not take the machine's memory.
private let largestCount = 1 << 31

/// The extents of constant dims, checked to be non-negative and together small enough to allocate.
public func allocatable(_ dims: [Dim], _ op: String) throws(Diagnostic) -> [Int] {
  var shape: [Int] = []
  for dim in dims {
    guard let extent = dim.constant else { throw .bug("\(op): the extent \(dim) is not known") }
    shape.append(extent)
  }
  try checkAllocatable(shape, op)
  return shape
}

public func checkAllocatable(_ shape: [Int], _ op: String) throws(Diagnostic) {
  var count = 1
  for extent in shape {
    guard extent >= 0 else { throw .invalid("\(op): the shape \(shape) has a negative extent") }
    let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
    guard !overflow, product <= largestCount else {
      throw .unsupported("\(op): a tensor of shape \(shape) is too large to evaluate")
    }
    count = product
  }
}

/// The run-time shape two operands broadcast to.
public func broadcastShape(_ a: [Int], _ b: [Int], _ op: String) throws(Diagnostic) -> [Int] {
  var context = InferenceContext()
  return try allocatable(try context.broadcast(a.map { Dim($0) }, b.map { Dim($0) }, op), op)
}

/// Strides of a dense tensor of `shape` read as if it had the shape `target`: stretched axes have stride 0.
public func broadcastStrides(_ shape: [Int], to target: [Int]) -> [Int] {
  let own = rowMajorStrides(shape)
  let skipped = target.count - shape.count
  return target.indices.map { axis in
    axis < skipped || shape[axis - skipped] == 1 ? 0 : own[axis - skipped]
  }
}

/// The row-major numbers of `offset + sum(index * strides)` for every index of `shape`, in order.
public func stridedPositions(_ shape: [Int], strides: [Int], offset: Int = 0) -> [Int] {
  let count = shape.reduce(1, *)
  guard count > 0, let inner = shape.last, let step = strides.last else { return count > 0 ? [offset] : [] }
  var result = [Int](repeating: 0, count: count)
  result.withUnsafeMutableBufferPointer { positions in
    var next = 0
    forEachRow(shape, strides, offset) { start in
      var position = start
      for i in next..<next + inner {
        positions[i] = position
        position &+= step
      }
      next += inner
    }
  }
  return result
}

/// Calls `body` with the row-major number at which each row along the last axis begins, in order; `shape` has an axis.
@inline(__always)
func forEachRow(_ shape: [Int], _ strides: [Int], _ offset: Int, _ body: (Int) -> Void) {
  let outer = shape.count - 1
  if shape[outer] == 0 { return }
  var index = [Int](repeating: 0, count: outer)
  var start = offset
  for _ in 0..<shape[..<outer].reduce(1, *) {
    body(start)
    // On to the next row, like an odometer.
    var axis = outer - 1
    while axis >= 0 {
      index[axis] += 1
      start += strides[axis]
      if index[axis] < shape[axis] { break }
      start -= strides[axis] * shape[axis]
      index[axis] = 0
      axis -= 1
    }
  }
}

extension ValueFact {
  /// What `combine` makes of the known elements of two operands that broadcast to `type`; nil where it cannot tell.
  func combined(
    with other: ValueFact, _ type: TensorType, _ combine: (Dim, Dim) -> Dim?
  ) -> [Dim]? {
    guard let a = known, let b = other.known, let shape = type.constantShape, countSaturating(shape) <= ValueFact.limit
    else { return nil }
    var result: [Dim] = []
    for (x, y) in zip(stretched(a.elements, a.shape, to: shape), stretched(b.elements, b.shape, to: shape)) {
      guard let element = combine(x, y), element.isExact else { return nil }
      result.append(element)
    }
    return result
  }
}

/// Elements of a tensor of `shape` repeated to fill `target`.
func stretched<Element>(_ values: [Element], _ shape: [Int], to target: [Int]) -> [Element] {
  if shape == target { return values }
  if values.count == 1 { return Array(repeating: values[0], count: target.reduce(1, *)) }
  return stridedPositions(target, strides: broadcastStrides(shape, to: target)).map { values[$0] }
}

import IR
import Support

// Adding ops, in words short enough that a mapping reads as the formula it is.

extension ONNXNodeContext {
  func add(_ kind: any OpKind, _ operands: ValueID?...) throws(Diagnostic) -> ValueID {
    let results = try importer.builder.add(kind, operands)
    guard let first = results.first else { throw .bug("\(kind.mnemonic) has no result") }
    return first
  }

  func add(_ kind: any OpKind, _ operands: [ValueID?]) throws(Diagnostic) -> ValueID {
    try results(kind, operands)[0]
  }

  /// All results of an op.
  func results(_ kind: any OpKind, _ operands: [ValueID?]) throws(Diagnostic) -> [ValueID] {
    let results = try importer.builder.add(kind, operands)
    guard !results.isEmpty else { throw .bug("\(kind.mnemonic) has no result") }
    return results
  }

  func unary(_ function: Unary.Function, _ x: ValueID) throws(Diagnostic) -> ValueID { try add(Unary(function), x) }

  func binary(_ function: Binary.Function, _ a: ValueID, _ b: ValueID) throws(Diagnostic) -> ValueID {
    try add(Binary(function), a, b)
  }

  func compare(_ function: Compare.Function, _ a: ValueID, _ b: ValueID) throws(Diagnostic) -> ValueID {
    try add(Compare(function), a, b)
  }

  func select(_ condition: ValueID, _ a: ValueID, _ b: ValueID) throws(Diagnostic) -> ValueID {
    try add(Select(mnemonic: "select"), condition, a, b)
  }

  func cast(_ x: ValueID, to element: ElementType) throws(Diagnostic) -> ValueID {
    try self.element(x) == element ? x : try add(Cast(to: element), x)
  }

  func reduce(
    _ function: Reduce.Function, _ x: ValueID, axes: [Int], keepDims: Bool = true
  ) throws(Diagnostic) -> ValueID {
    // No axes would mean all of them.
    axes.isEmpty ? x : try add(Reduce(function, axes: axes, keepDims: keepDims), x)
  }

  func reshape(_ x: ValueID, _ dims: [Dim]) throws(Diagnostic) -> ValueID {
    try shape(x) == dims ? x : try add(Reshape(shape: dims), x)
  }

  func broadcast(_ x: ValueID, _ dims: [Dim]) throws(Diagnostic) -> ValueID {
    try shape(x) == dims ? x : try add(Broadcast(shape: dims), x)
  }

  func transpose(_ x: ValueID, _ permutation: [Int]) throws(Diagnostic) -> ValueID {
    var kind = Transpose(mnemonic: "transpose")
    kind.permutation = permutation
    return permutation == Array(permutation.indices) ? x : try add(kind, x)
  }

  func slice(_ x: ValueID, starts: [Dim], sizes: [Dim], steps: [Int]? = nil) throws(Diagnostic) -> ValueID {
    let steps = steps ?? Array(repeating: 1, count: starts.count)
    let isWhole = starts.allSatisfy { $0.constant == 0 } && steps.allSatisfy { $0 == 1 }
    if isWhole, try shape(x) == sizes { return x }
    return try add(Slice(starts: starts, sizes: sizes, steps: steps), x)
  }

  /// Part of `x` along one axis.
  func slice(_ x: ValueID, axis: Int, start: Dim, size: Dim, step: Int = 1) throws(Diagnostic) -> ValueID {
    var sizes = try shape(x)
    guard sizes.indices.contains(axis) else { throw .invalid("\(try type(x)) has no axis \(axis)") }
    var starts = [Dim](repeating: 0, count: sizes.count)
    var steps = [Int](repeating: 1, count: sizes.count)
    sizes[axis] = size
    starts[axis] = start
    steps[axis] = step
    return try slice(x, starts: starts, sizes: sizes, steps: steps)
  }

  func concat(_ parts: [ValueID], axis: Int) throws(Diagnostic) -> ValueID {
    if parts.count == 1 { return parts[0] }
    return try importer.builder.add(Concat(axis: axis), parts)[0]
  }

  // MARK: Constants

  func constant(_ tensor: Tensor) throws(Diagnostic) -> ValueID { try importer.builder.constant(tensor) }

  func constant(_ integers: [Int], _ element: ElementType = .i64) throws(Diagnostic) -> ValueID {
    try checkIsNumber(element)
    return try constant(Tensor(element, [integers.count], integers: integers))
  }

  func scalar(_ value: Double, _ element: ElementType) throws(Diagnostic) -> ValueID {
    try checkIsNumber(element)
    return try constant(.scalar(value, element))
  }

  func scalar(_ value: Int, _ element: ElementType = .i64) throws(Diagnostic) -> ValueID {
    try checkIsNumber(element)
    return try constant(.scalar(value, element))
  }

  /// A number beside strings comes from a file that computes with them.
  private func checkIsNumber(_ element: ElementType) throws(Diagnostic) {
    if element == .string { throw .invalid("cannot compute with strings") }
  }

  /// A number of the element type of `x`.
  func number(_ value: Double, like x: ValueID) throws(Diagnostic) -> ValueID { try scalar(value, try element(x)) }

  /// The value of an expression of extents, as `i64[]`.
  func dimension(_ dim: Dim) throws(Diagnostic) -> ValueID {
    if let value = dim.constant { return try scalar(value) }
    return try add(DimValue(dim))
  }

  /// Expressions of extents, as `i64[n]`.
  func dimensions(_ dims: [Dim]) throws(Diagnostic) -> ValueID {
    let constants = dims.compactMap(\.constant)
    if constants.count == dims.count { return try constant(constants) }
    var parts: [ValueID] = []
    for dim in dims { parts.append(try reshape(try dimension(dim), [1])) }
    return try concat(parts, axis: 0)
  }

  // MARK: Run-time extents

  /// More elements than any tensor has.
  static let largestExtent = 1 << 31

  func freshSymbol(_ base: String, in range: ClosedRange<Int> = 0...largestExtent) -> Dim {
    Dim(symbol: importer.freshSymbol(base, in: range))
  }

  /// A run-time integer as a dim: a new symbol takes its value. Negative ones fail at run time.
  func extent(
    of value: ValueID, _ base: String, in range: ClosedRange<Int> = 0...largestExtent
  ) throws(Diagnostic) -> Dim {
    if let known = dims(value), known.count == 1 { return known[0] }
    let scalar = try reshape(try cast(value, to: .i64), [])
    guard let symbol = freshSymbol(base, in: range).symbolName else { throw .bug("a fresh symbol is none") }
    let bound = try add(Extent(symbol: symbol), scalar)
    return fact(bound).elements?.first ?? Dim(symbol: symbol)
  }

  /// The elements of a one-dimensional integer tensor as dims, by symbols where they are only known at run time.
  func extents(of value: ValueID, _ base: String) throws(Diagnostic) -> [Dim] {
    if let known = dims(value) { return known }
    let count = try listLength(value)
    var result: [Dim] = []
    for index in 0..<count {
      let one = try slice(value, axis: 0, start: Dim(index), size: 1)
      result.append(try extent(of: one, "\(base)_\(index)"))
    }
    return result
  }

  /// The number of elements of a list of extents, one an axis.
  func listLength(_ value: ValueID) throws(Diagnostic) -> Int {
    let type = try type(value)
    guard type.rank == 1, let count = type.shape[0].constant, count <= TensorType.rankLimit else {
      throw .unsupported("a list of extents is \(type), expected a short list of integers")
    }
    return count
  }

  /// 0, 1, ... below `count`, as `i64[count]`.
  func iota(_ count: Dim) throws(Diagnostic) -> ValueID {
    if let number = count.constant, number <= ValueFact.limit { return try constant(Array(0..<max(number, 0))) }
    return try add(Iota(count))
  }

  // MARK: Dims

  /// The lesser one, written as simply as the ranges of the symbols allow.
  func minimum(_ a: Dim, _ b: Dim) -> Dim {
    let difference = (a - b).bounds(symbols)
    return difference.upperBound <= 0 ? a : difference.lowerBound >= 0 ? b : Dim.minimum(a, b)
  }

  func maximum(_ a: Dim, _ b: Dim) -> Dim {
    let difference = (a - b).bounds(symbols)
    return difference.lowerBound >= 0 ? a : difference.upperBound <= 0 ? b : Dim.maximum(a, b)
  }

  /// The shape that operands of these shapes broadcast to; what cannot be proved the op that needs it guards.
  func broadcastShape(_ a: [Dim], _ b: [Dim]) throws(Diagnostic) -> [Dim] {
    var context = importer.builder.module.inferenceContext
    return try context.broadcast(a, b, node.operatorType)
  }
}

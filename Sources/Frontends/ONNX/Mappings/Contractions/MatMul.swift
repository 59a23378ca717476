import IR
import Support

extension ONNXMapping {
  static let matMul = ONNXMapping(["MatMul"], 1...newest, inputs: 2...2) { c throws(Diagnostic) in
    [
      try c.matrixProduct(try c.input(0), try c.input(1)) { a, b throws(Diagnostic) in
        try c.numberProduct(a, b)
      }
    ]
  }
}

extension ONNXNodeContext {
  /// Gives vectors the axis that NumPy gives them, multiplies, and takes it away again.
  func matrixProduct(
    _ a: ValueID, _ b: ValueID, _ multiply: (ValueID, ValueID) throws(Diagnostic) -> ValueID
  ) throws(Diagnostic) -> ValueID {
    let (left, right) = (try shape(a), try shape(b))
    guard let rows = left.last, let columns = right.first else { throw .invalid("cannot multiply a scalar") }
    let x = left.count == 1 ? try reshape(a, [1, rows]) : a
    let y = right.count == 1 ? try reshape(b, [columns, 1]) : b
    let product = try multiply(x, y)
    var dims = try shape(product)
    if right.count == 1 { dims.removeLast() }
    if left.count == 1 { dims.remove(at: dims.count - (right.count == 1 ? 1 : 2)) }
    return try reshape(product, dims)
  }

  /// The product of matrices of one type; integers wrap.
  func numberProduct(
    _ a: ValueID, _ b: ValueID, bias: ValueID? = nil, transposeLHS: Bool = false, transposeRHS: Bool = false
  ) throws(Diagnostic) -> ValueID {
    let (x, y) = (try element(a), try element(b))
    guard x == y else { throw .invalid("cannot multiply \(try type(a)) and \(try type(b))") }
    if x.isFloat {
      return try add(MatMul(transposeLHS: transposeLHS, transposeRHS: transposeRHS), a, b, bias)
    }
    // Wide integers are rare: as a broadcast product and a sum, which wrap as the format's integers do.
    let left = transposeLHS ? try swappedLastAxes(a) : a
    let right = transposeRHS ? b : try swappedLastAxes(b)
    let (m, n) = (try shape(left), try shape(right))
    let rows = try reshape(left, m.dropLast(1) + [1] + m.suffix(1))
    let columns = try reshape(right, n.dropLast(2) + [1] + n.suffix(2))
    let product = try binary(.mul, rows, columns)
    let sum = try reduce(.sum, product, axes: [try rank(product) - 1], keepDims: false)
    guard let bias else { return sum }
    return try binary(.add, sum, bias)
  }

  func swappedLastAxes(_ x: ValueID) throws(Diagnostic) -> ValueID {
    var permutation = Array(0..<(try rank(x)))
    guard permutation.count >= 2 else { throw .invalid("a matrix is expected") }
    permutation.swapAt(permutation.count - 2, permutation.count - 1)
    return try transpose(x, permutation)
  }
}

import Support

// What contractions share: which element types go together, and the one inner loop.

/// The element type of `a x b`: floats of one type give that type, bytes times signed bytes give i32.
func contractionElement(_ a: TensorType, _ b: TensorType, _ op: String) throws(Diagnostic) -> ElementType {
  if let x = a.plain, let y = b.plain {
    if x.isFloat, x == y { return x }
    if x == .u8 || x == .i8, y == .i8 { return .i32 }
  }
  throw .invalid("\(op): cannot multiply \(a) and \(b); it takes floats of one type, or u8 or i8 by i8")
}

/// The right side of a contraction: dense, or packed as a matrix.
func contractionWeights(_ fact: ValueFact, _ op: String) throws(Diagnostic) -> TensorType {
  let type = try fact.tensor(op)
  if type.layout != nil {
    guard type.rank == 2 else { throw .invalid("\(op): the packed operand \(type) is no matrix") }
    return type
  }
  return try fact.dense(op)
}

/// Adds `sum over k of a[k] * b[k * stride + j]` to `out[j]` for `j` below `columns`, one `k` after the other.
///
/// Four rows at a time keep `out` in registers four times as long without changing the order of the additions.
/// Doubles serve integers too: sums of byte products stay far below 2^53.
@inline(__always)
func accumulate(
  _ out: UnsafeMutablePointer<Double>, columns: Int, _ a: UnsafePointer<Double>, count: Int,
  _ b: UnsafePointer<Double>, stride: Int
) {
  var k = 0
  while k + 4 <= count {
    let (a0, a1, a2, a3) = (a[k], a[k + 1], a[k + 2], a[k + 3])
    let b0 = b + k * stride
    let b1 = b0 + stride
    let b2 = b1 + stride
    let b3 = b2 + stride
    for j in 0..<columns { out[j] = out[j] + a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j] }
    k += 4
  }
  while k < count {
    let factor = a[k]
    let row = b + k * stride
    for j in 0..<columns { out[j] += factor * row[j] }
    k += 1
  }
}

/// Rounds what was accumulated, bias added, to the result's type. Integers wrap.
func contractionResult(
  _ sums: [Double], _ shape: [Int], _ element: ElementType, bias: Tensor?, _ op: String
) throws(Diagnostic) -> Value {
  guard let bias else { return .tensor(Tensor(element, shape, doubles: sums)) }
  guard try broadcastShape(bias.shape, shape, op) == shape else { throw .bug("\(op): the bias does not fit") }
  let added = stretched(bias.doubles(), bias.shape, to: shape)
  var result = sums
  for i in result.indices { result[i] += added[i] }
  return .tensor(Tensor(element, shape, doubles: result))
}

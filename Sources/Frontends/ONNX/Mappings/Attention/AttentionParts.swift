import IR
import Support

/// Queries, keys and values on their way into `attention`, and what limits who sees whom.
struct AttentionParts {
  var q: ValueID
  var k: ValueID
  var v: ValueID
  /// Whether positions stand before heads.
  var sequenceFirst: Bool
  var mask: ValueID?
  var scale: Double
  var before = -1
  var after = -1
  /// The keys in front of the first query.
  var past: Dim = 0
  var softCap = 0.0

  var kind: Attention {
    Attention(
      scale: scale, before: before, after: after, offset: past, softCap: softCap, sequenceFirst: sequenceFirst)
  }
}

extension ONNXNodeContext {
  /// `[batch, positions, heads * width]` as `[batch, positions, heads, width]`.
  func withHeads(_ x: ValueID, _ heads: Int) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    guard shape.count == 3, heads > 0, let width = shape[2].exactlyDivided(by: Dim(heads)) else {
      throw .invalid("an input is \(try type(x)), which does not divide into \(heads) heads")
    }
    return try reshape(x, [shape[0], shape[1], Dim(heads), width])
  }

  /// `[batch, positions, heads, width]` as `[batch, positions, heads * width]`.
  func withoutHeads(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    guard shape.count == 4 else { throw .bug("heads are expected") }
    return try reshape(x, [shape[0], shape[1], shape[2] * shape[3]])
  }

  /// Exchanges positions and heads.
  func headsFirst(_ x: ValueID) throws(Diagnostic) -> ValueID { try transpose(x, [0, 2, 1, 3]) }

  /// A mask that is as long as the keys: what it leaves out is hidden.
  func maskOfAllKeys(_ mask: ValueID, keys: Dim) throws(Diagnostic) -> ValueID {
    let shape = try shape(mask)
    guard let last = shape.last else { throw .invalid("the mask is a scalar") }
    guard let missing = (keys - last).constant, missing > 0, last.constant != 1 || keys.constant == nil else {
      return mask
    }
    var dims = shape
    dims[shape.count - 1] = Dim(missing)
    let element = try element(mask)
    let filler = element == .bool ? try scalar(0, .bool) : try scalar(-Double.infinity, element)
    return try concat([mask, try broadcast(filler, dims)], axis: shape.count - 1)
  }

  /// Both masks in one; `allowed` is of bools.
  func combined(_ mask: ValueID?, _ allowed: ValueID) throws(Diagnostic) -> ValueID {
    guard let mask else { return allowed }
    if try element(mask) == .bool { return try binary(.and, mask, allowed) }
    return try select(allowed, mask, try number(-.infinity, like: mask))
  }

  /// The numbers of `count` positions, along axis `axis` of four.
  func positions(_ count: Dim, axis: Int) throws(Diagnostic) -> ValueID {
    try reshape(try iota(count), (0..<4).map { $0 == axis ? count : 1 })
  }

  /// The steps of an attention one by one, for who wants to see one of them: products, capped, masked, or weights.
  func attentionStep(_ parts: AttentionParts, step: Int) throws(Diagnostic) -> ValueID {
    let q = parts.sequenceFirst ? try headsFirst(parts.q) : parts.q
    var k = parts.sequenceFirst ? try headsFirst(parts.k) : parts.k
    let (queries, keys) = (try shape(q), try shape(k))
    if queries[1] != keys[1] {
      guard let group = queries[1].exactlyDivided(by: keys[1]) else { throw .invalid("heads do not divide evenly") }
      let apart = try reshape(k, [keys[0], keys[1], 1, keys[2], keys[3]])
      k = try reshape(
        try broadcast(apart, [keys[0], keys[1], group, keys[2], keys[3]]), [keys[0], queries[1], keys[2], keys[3]])
    }
    let product = try add(MatMul(transposeRHS: true), q, k)
    var value = try binary(.mul, product, try number(parts.scale, like: product))
    if step == 0 { return value }
    if parts.softCap > 0 {
      let cap = try number(parts.softCap, like: value)
      value = try binary(.mul, try unary(.tanh, try binary(.div, value, cap)), cap)
    }
    if step == 1 { return value }
    let hidden = try number(-.infinity, like: value)
    if let mask = parts.mask {
      value = try element(mask) == .bool ? try select(mask, value, hidden) : try binary(.add, value, mask)
    }
    if parts.before >= 0 || parts.after >= 0 {
      let here = try binary(.add, try positions(queries[2], axis: 2), try dimension(parts.past))
      let distance = try binary(.sub, try positions(keys[2], axis: 3), here)
      if parts.after >= 0 {
        value = try select(try compare(.lessEqual, distance, try scalar(parts.after)), value, hidden)
      }
      if parts.before >= 0 {
        value = try select(try compare(.greaterEqual, distance, try scalar(-parts.before)), value, hidden)
      }
    }
    if step == 2 { return value }
    // A query that sees nothing has weights of zero, not of 0 / 0.
    let weights = try add(Softmax(axis: -1), value)
    let sees = try compare(.greater, try reduce(.max, value, axes: [3]), hidden)
    return try select(sees, weights, try number(0, like: weights))
  }
}

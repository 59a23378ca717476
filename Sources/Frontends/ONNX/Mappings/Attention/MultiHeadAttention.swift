import IR
import Support

extension ONNXMapping {
  /// ONNX Runtime's attention from before the format had one: projections come in, their bias is added here.
  static let multiHeadAttention = ONNXMapping(
    ["MultiHeadAttention"], 1...newest, inputs: 1...8,
    attributes: ["mask_filter_value", "num_heads", "scale", "unidirectional"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    guard let heads = try c.int("num_heads"), heads > 0 else { throw .invalid("num_heads is missing") }
    var q = try c.input(0)
    var (k, v): (ValueID, ValueID)
    if try c.rank(q) == 5 {
      let all = q
      (q, k, v) = (try c.packedPart(all, 0), try c.packedPart(all, 1), try c.packedPart(all, 2))
    } else {
      k = try c.input(1)
      if try c.rank(k) == 5 {
        let both = k
        (k, v) = (try c.packedPart(both, 0), try c.packedPart(both, 1))
      } else {
        v = try c.input(2)
      }
    }
    if let bias = c.optionalInput(3) {
      var start: Dim = 0
      func part(_ x: ValueID) throws(Diagnostic) -> ValueID {
        guard try c.rank(x) == 3 else { return x }
        let size = try c.shape(x)[2]
        defer { start = start + size }
        return try c.binary(.add, x, try c.slice(bias, axis: 0, start: start, size: size))
      }
      (q, k, v) = (try part(q), try part(k), try part(v))
    }
    q = try c.withHeads(q, heads)
    // Keys and values of another sequence come with heads first, as they were kept.
    let areKept = try c.rank(k) == 4
    if !areKept { (k, v) = (try c.withHeads(k, heads), try c.withHeads(v, heads)) }
    var past: Dim = 0
    var sequenceFirst = !areKept
    if let pastKey = c.optionalInput(6), let pastValue = c.optionalInput(7), !areKept {
      guard try c.rank(pastKey) == 4 else { throw .invalid("past_key is \(try c.type(pastKey)), expected four axes") }
      sequenceFirst = false
      past = try c.shape(pastKey)[2]
      k = try c.concat([pastKey, try c.headsFirst(k)], axis: 2)
      v = try c.concat([pastValue, try c.headsFirst(v)], axis: 2)
    }
    if !sequenceFirst { q = try c.headsFirst(q) }
    guard let width = try c.shape(q)[3].constant, width > 0 else {
      throw .unsupported("the width of heads is open: \(try c.type(q))")
    }
    let scale = try c.float("scale", default: 0)
    var parts = AttentionParts(
      q: q, k: k, v: v, sequenceFirst: sequenceFirst, mask: nil,
      scale: scale == 0 ? 1 / Double(width).squareRoot() : scale,
      after: try c.flag("unidirectional", default: false) ? 0 : -1, past: past)
    if let bias = c.optionalInput(5) { parts.mask = try c.cast(bias, to: try c.element(q)) }
    if let padding = c.optionalInput(4) {
      let shape = try c.shape(padding)
      guard shape.count == 2 else { throw .unsupported("a padding mask \(try c.type(padding)) is not supported") }
      let isThere = try c.compare(.notEqual, padding, try c.number(0, like: padding))
      parts.mask = try c.combined(parts.mask, try c.reshape(isThere, [shape[0], 1, 1, shape[1]]))
    }
    let mixed = try c.add(parts.kind, parts.q, parts.k, parts.v, parts.mask)
    let result = try c.withoutHeads(sequenceFirst ? mixed : try c.headsFirst(mixed))
    guard c.hasOutput(1) || c.hasOutput(2) || c.hasOutput(3) else { return [result] }
    var results = [result, sequenceFirst ? try c.headsFirst(k) : k, sequenceFirst ? try c.headsFirst(v) : v]
    if c.hasOutput(3) { results.append(try c.attentionStep(parts, step: 0)) }
    return results
  }
}

extension ONNXNodeContext {
  /// Queries, keys or values of `[batch, positions, heads, parts, width]`, without heads.
  fileprivate func packedPart(_ x: ValueID, _ number: Int) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    return try reshape(
      try slice(x, axis: 3, start: Dim(number), size: 1), [shape[0], shape[1], shape[2] * shape[4]])
  }
}

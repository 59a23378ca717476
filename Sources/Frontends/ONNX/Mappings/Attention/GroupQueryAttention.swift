import IR
import Support

extension ONNXMapping {
  /// ONNX Runtime's attention of language models: fewer heads of keys than of queries, a cache, rotary positions.
  ///
  /// What is cached must be what stands in front of the new keys, as it is where the cache is passed on from run to run;
  /// a cache with room behind it fails when it runs.
  static let groupQueryAttention = ONNXMapping(
    ["GroupQueryAttention"], 1...newest, inputs: 7...12,
    attributes: [
      "do_rotary", "kv_num_heads", "local_window_size", "num_heads", "rotary_interleaved", "scale", "smooth_softmax",
      "softcap",
    ], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    guard let heads = try c.int("num_heads"), let keyHeads = try c.int("kv_num_heads"), heads > 0, keyHeads > 0,
      max(heads, keyHeads) <= 1 << 24
    else { throw .invalid("num_heads or kv_num_heads is missing or out of range") }
    var (q, k, v) = try c.groupedParts(heads, keyHeads)
    let length = try c.shape(q)[1]
    var past: Dim = 0
    if let cached = c.optionalInput(3) {
      guard try c.rank(cached) == 4 else { throw .invalid("past_key is \(try c.type(cached)), expected four axes") }
      past = try c.shape(cached)[2]
    }
    if try c.flag("do_rotary", default: false) {
      guard let cosines = c.optionalInput(7), let sines = c.optionalInput(8) else {
        throw .invalid("cos_cache or sin_cache is missing")
      }
      let kind = Rope(interleaved: try c.flag("rotary_interleaved", default: false))
      let positions: ValueID
      if let given = c.optionalInput(9) {
        positions = given
      } else {
        let numbers = try c.binary(.add, try c.iota(length), try c.dimension(past))
        positions = try c.reshape(numbers, [1, length])
      }
      func table(_ value: ValueID) throws(Diagnostic) -> ValueID {
        let picked = try c.add(Gather(axis: 0), value, positions)
        let shape = try c.shape(picked)
        guard shape.count == 3 else { throw .invalid("position_ids are \(try c.type(positions))") }
        return try c.reshape(picked, [shape[0], shape[1], 1, shape[2]])
      }
      let (cosTable, sinTable) = (try table(cosines), try table(sines))
      (q, k) = (try c.add(kind, q, cosTable, sinTable), try c.add(kind, k, cosTable, sinTable))
    }
    (q, k, v) = (try c.headsFirst(q), try c.headsFirst(k), try c.headsFirst(v))
    if let pastKey = c.optionalInput(3), let pastValue = c.optionalInput(4) {
      (k, v) = (try c.concat([pastKey, k], axis: 2), try c.concat([pastValue, v], axis: 2))
      // The reshape fails where the cache does not hold what comes before.
      let total = try c.extent(of: try c.input(6), "total")
      var shape = try c.shape(k)
      shape[2] = total
      k = try c.reshape(k, shape)
      shape[3] = try c.shape(v)[3]
      v = try c.reshape(v, shape)
    }
    guard let width = try c.shape(q)[3].constant, width > 0 else {
      throw .unsupported("the width of heads is open: \(try c.type(q))")
    }
    let scale = try c.float("scale", default: 0)
    let window = try c.int("local_window_size", default: -1)
    let kind = Attention(
      scale: scale == 0 ? 1 / Double(width).squareRoot() : scale, before: window > 0 ? window - 1 : -1, after: 0,
      offset: past, softCap: try c.float("softcap", default: 0))
    var operands: [ValueID?] = [q, k, v]
    if let bias = c.optionalInput(10) { operands.append(try c.cast(bias, to: try c.element(q))) }
    // A softmax that is smooth has a weight for nobody: a sink of zero.
    var sinks = c.optionalInput(11)
    if try c.flag("smooth_softmax", default: false), sinks == nil {
      sinks = try c.constant(Tensor(.f32, [heads], doubles: Array(repeating: 0, count: heads)))
    }
    if let sinks {
      if operands.count == 3 { operands.append(nil) }
      operands.append(try c.cast(sinks, to: try c.element(q)))
    }
    let mixed = try c.importer.builder.add(kind, operands)[0]
    return [try c.withoutHeads(try c.headsFirst(mixed)), k, v]
  }
}

extension ONNXNodeContext {
  /// Queries, keys and values as `[batch, positions, heads, width]`, also where they come as one.
  fileprivate func groupedParts(
    _ heads: Int, _ keyHeads: Int
  ) throws(Diagnostic) -> (ValueID, ValueID, ValueID) {
    let q = try input(0)
    if let k = optionalInput(1), let v = optionalInput(2) {
      return (try withHeads(q, heads), try withHeads(k, keyHeads), try withHeads(v, keyHeads))
    }
    let all = try withHeads(q, heads + 2 * keyHeads)
    return (
      try slice(all, axis: 2, start: 0, size: Dim(heads)),
      try slice(all, axis: 2, start: Dim(heads), size: Dim(keyHeads)),
      try slice(all, axis: 2, start: Dim(heads + keyHeads), size: Dim(keyHeads))
    )
  }
}

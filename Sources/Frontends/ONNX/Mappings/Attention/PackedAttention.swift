import IR
import Support

extension ONNXMapping {
  /// ONNX Runtime's attention with the projection to queries, keys and values inside.
  static let packedAttention = ONNXMapping(
    ["Attention"], 1...newest, inputs: 2...7,
    attributes: [
      "do_rotary", "mask_filter_value", "num_heads", "past_present_share_buffer", "qkv_hidden_sizes",
      "rotary_embedding_dim", "scale", "unidirectional",
    ], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let projected = try c.add(MatMul(), try c.input(0), try c.input(1), c.optionalInput(2))
    return try c.packedAttention(
      projected, mask: c.optionalInput(3), past: c.optionalInput(4), bias: c.optionalInput(5))
  }
}

extension ONNXNodeContext {
  /// Attention over a projection that holds queries, keys and values side by side; keys and values of earlier runs may
  /// stand in front, and those of all are a second result.
  func packedAttention(
    _ projected: ValueID, mask padding: ValueID?, past: ValueID?, bias: ValueID?
  ) throws(Diagnostic) -> [ValueID] {
    guard let heads = try int("num_heads"), heads > 0 else { throw .invalid("num_heads is missing") }
    guard try !flag("do_rotary", default: false), try !flag("past_present_share_buffer", default: false) else {
      throw .unsupported("rotary positions, and a cache with room in it, are not supported here")
    }
    let shape = try shape(projected)
    guard shape.count == 3, let hidden = shape[2].constant else {
      throw .unsupported("the projection is \(try type(projected)), expected three axes of known width")
    }
    let sizes = try ints("qkv_hidden_sizes") ?? [hidden / 3, hidden / 3, hidden / 3]
    guard sizes.count == 3, sizes.allSatisfy({ (1...hidden).contains($0) }), sizes.reduce(0, +) == hidden,
      sizes[0] % heads == 0
    else {
      throw .invalid("qkv_hidden_sizes are \(sizes), the projection has \(hidden)")
    }
    var parts: [ValueID] = []
    var start = 0
    for size in sizes {
      parts.append(try withHeads(try slice(projected, axis: 2, start: Dim(start), size: Dim(size)), heads))
      start += size
    }
    var offset: Dim = 0
    let isKept = past != nil || hasOutput(1)
    if isKept { for number in parts.indices { parts[number] = try headsFirst(parts[number]) } }
    if let past {
      let kept = try self.shape(past)
      guard kept.count == 5 else { throw .invalid("past is \(try type(past)), expected five axes") }
      offset = kept[3]
      for number in 1...2 {
        let own = try slice(past, axis: 0, start: Dim(number - 1), size: 1)
        parts[number] = try concat([try reshape(own, Array(kept.dropFirst())), parts[number]], axis: 2)
      }
    }
    let scale = try float("scale", default: 0)
    let kind = Attention(
      scale: scale == 0 ? 1 / Double(sizes[0] / heads).squareRoot() : scale,
      after: try flag("unidirectional", default: false) ? 0 : -1, offset: offset, sequenceFirst: !isKept)
    var mask: ValueID?
    if let bias { mask = try cast(bias, to: try element(projected)) }
    if let padding { mask = try combined(mask, try allowed(padding, batch: shape[0], keys: offset + shape[1])) }
    let mixed = try add(kind, parts[0], parts[1], parts[2], mask)
    let result = try withoutHeads(isKept ? try headsFirst(mixed) : mixed)
    guard hasOutput(1) else { return [result] }
    var present: [ValueID] = []
    for part in parts.dropFirst() { present.append(try reshape(part, [1] + (try self.shape(part)))) }
    return [result, try concat(present, axis: 0)]
  }

  /// Which keys a mask of numbers lets be seen: one for each key, for each query and key, or the length of each sequence.
  private func allowed(_ mask: ValueID, batch: Dim, keys: Dim) throws(Diagnostic) -> ValueID {
    let dims = try shape(mask)
    if dims.count == 1 {
      guard dims == [batch] else { throw .unsupported("a mask \(try type(mask)) is not supported") }
      let lengths = try reshape(try cast(mask, to: .i64), [batch, 1, 1, 1])
      return try compare(.less, try positions(keys, axis: 3), lengths)
    }
    let isThere = try compare(.notEqual, mask, try number(0, like: mask))
    switch dims.count {
    case 2: return try reshape(isThere, [dims[0], 1, 1, dims[1]])
    case 3: return try reshape(isThere, [dims[0], 1, dims[1], dims[2]])
    default: throw .unsupported("a mask \(try type(mask)) is not supported")
    }
  }
}

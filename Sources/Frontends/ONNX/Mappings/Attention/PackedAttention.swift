import IR
import Support

extension ONNXMapping {
  /// ONNX Runtime's attention with the projection to queries, keys and values inside.
  static let packedAttention = ONNXMapping(
    ["Attention"], 1...newest, inputs: 2...7,
    attributes: [
      "do_rotary", "mask_filter_value", "num_heads", "past_present_share_buffer", "qkv_hidden_sizes",
      "rotary_embedding_dim", "scale", "unidirectional",
    ], domain: "com.microsoft"
  ) { c throws(Diagnostic) in
    guard let heads = try c.int("num_heads"), heads > 0 else { throw .invalid("num_heads is missing") }
    guard try !c.flag("do_rotary", default: false), c.optionalInput(4) == nil else {
      throw .unsupported("rotary positions and a cache are not supported here")
    }
    let (x, weights) = (try c.input(0), try c.input(1))
    let projected = try c.add(MatMul(), x, weights, c.optionalInput(2))
    let shape = try c.shape(projected)
    guard shape.count == 3, let hidden = shape[2].constant else {
      throw .unsupported("the projection is \(try c.type(projected)), expected three axes of known width")
    }
    let sizes = try c.ints("qkv_hidden_sizes") ?? [hidden / 3, hidden / 3, hidden / 3]
    guard sizes.count == 3, sizes.allSatisfy({ (1...hidden).contains($0) }), sizes.reduce(0, +) == hidden,
      sizes[0] % heads == 0
    else {
      throw .invalid("qkv_hidden_sizes are \(sizes), the projection has \(hidden)")
    }
    var parts: [ValueID] = []
    var start = 0
    for size in sizes {
      let part = try c.slice(projected, axis: 2, start: Dim(start), size: Dim(size))
      parts.append(try c.withHeads(part, heads))
      start += size
    }
    let scale = try c.float("scale", default: 0)
    let kind = Attention(
      scale: scale == 0 ? 1 / Double(sizes[0] / heads).squareRoot() : scale,
      after: try c.flag("unidirectional", default: false) ? 0 : -1, sequenceFirst: true)
    var mask: ValueID?
    if let bias = c.optionalInput(5) { mask = try c.cast(bias, to: try c.element(x)) }
    if let padding = c.optionalInput(3) {
      let dims = try c.shape(padding)
      guard dims.count <= 2 else { throw .unsupported("a mask \(try c.type(padding)) is not supported") }
      let allowed: ValueID
      if dims.count == 2 {
        let isThere = try c.compare(.notEqual, padding, try c.number(0, like: padding))
        allowed = try c.reshape(isThere, [dims[0], 1, 1, dims[1]])
      } else {
        // The length of each sequence.
        guard dims == [shape[0]] else { throw .unsupported("a mask \(try c.type(padding)) is not supported") }
        let lengths = try c.reshape(try c.cast(padding, to: .i64), [dims[0], 1, 1, 1])
        allowed = try c.compare(.less, try c.positions(shape[1], axis: 3), lengths)
      }
      mask = try c.combined(mask, allowed)
    }
    return [try c.withoutHeads(try c.add(kind, parts[0], parts[1], parts[2], mask))]
  }
}

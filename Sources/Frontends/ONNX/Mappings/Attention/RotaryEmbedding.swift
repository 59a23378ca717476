import IR
import Support

extension ONNXMapping {
  static let rotaryEmbedding = ONNXMapping(
    ["RotaryEmbedding"], 23...newest, inputs: 3...4,
    attributes: ["interleaved", "num_heads", "rotary_embedding_dim"]
  ) { c throws(Diagnostic) in
    [
      try c.rotated(
        try c.input(0), cosines: try c.input(1), sines: try c.input(2), positions: c.optionalInput(3))
    ]
  }

  /// ONNX Runtime's: positions come second, and one number means that position and those behind it.
  static let microsoftRotaryEmbedding = ONNXMapping(
    ["RotaryEmbedding"], 1...newest, inputs: 4...4,
    attributes: ["interleaved", "is_packed_batching", "num_heads", "rotary_embedding_dim", "scale"],
    domain: microsoftDomain
  ) { c throws(Diagnostic) in
    var positions = try c.input(1)
    let x = try c.input(0)
    if try c.rank(positions) <= 1 {
      let shape = try c.shape(x)
      guard shape.count >= 2 else { throw .invalid("x is \(try c.type(x)), expected three or four axes") }
      let length = shape.count == 4 ? shape[2] : shape[1]
      let steps = try c.binary(.add, try c.reshape(try c.iota(length), [1, length]), try c.reshape(positions, [1, 1]))
      positions = try c.broadcast(steps, [shape[0], length])
    }
    return [try c.rotated(x, cosines: try c.input(2), sines: try c.input(3), positions: positions)]
  }
}

extension ONNXNodeContext {
  fileprivate func rotated(
    _ x: ValueID, cosines: ValueID, sines: ValueID, positions: ValueID?
  ) throws(Diagnostic) -> ValueID {
    let isFlat = try rank(x) == 3
    var heads = x
    if isFlat {
      var count = try int("num_heads", default: 0)
      if count == 0, let width = try shape(cosines).last?.constant, let hidden = try shape(x)[2].constant, width > 0 {
        count = hidden / (2 * width)
      }
      heads = try withHeads(x, count)
    }
    func table(_ value: ValueID) throws(Diagnostic) -> ValueID {
      var picked = value
      if let positions { picked = try add(Gather(axis: 0), value, positions) }
      if try rank(picked) == 2 {
        let shape = try shape(picked)
        picked = try reshape(picked, [1] + shape)
      }
      let shape = try shape(picked)
      guard shape.count == 3 else { throw .invalid("a table is \(try type(value)), which does not fit the positions") }
      // Beside the heads, wherever they stand.
      return try reshape(picked, isFlat ? [shape[0], shape[1], 1, shape[2]] : [shape[0], 1, shape[1], shape[2]])
    }
    let kind = Rope(interleaved: try flag("interleaved", default: false))
    let rotated = try add(kind, heads, try table(cosines), try table(sines))
    return isFlat ? try withoutHeads(rotated) : rotated
  }
}

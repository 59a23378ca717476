import IR
import Support

extension ONNXMapping {
  static let attention = ONNXMapping(
    ["Attention"], 23...newest, inputs: 3...7,
    attributes: [
      "is_causal", "kv_num_heads", "left_window_size", "q_num_heads", "qk_matmul_output_mode", "right_window_size",
      "scale", "softcap", "softmax_precision",
    ]
  ) { c throws(Diagnostic) in
    var parts = try c.standardParts()
    let isFlat = try c.rank(try c.input(0)) == 3
    let present = (
      parts.sequenceFirst ? try c.headsFirst(parts.k) : parts.k,
      parts.sequenceFirst ? try c.headsFirst(parts.v) : parts.v
    )
    try c.limit(&parts)
    let mixed = try c.add(parts.kind, parts.q, parts.k, parts.v, parts.mask)
    let result = isFlat ? try c.withoutHeads(parts.sequenceFirst ? mixed : try c.headsFirst(mixed)) : mixed
    var results = [result, present.0, present.1]
    if c.hasOutput(3) {
      results.append(try c.attentionStep(parts, step: try c.int("qk_matmul_output_mode", default: 0)))
    }
    return results
  }
}

extension ONNXNodeContext {
  /// The operands with heads apart, and what was cached in front of keys and values.
  fileprivate func standardParts() throws(Diagnostic) -> AttentionParts {
    var (q, k, v) = (try input(0), try input(1), try input(2))
    let isFlat = try rank(q) == 3
    if isFlat {
      guard let heads = try int("q_num_heads"), let keyHeads = try int("kv_num_heads") else {
        throw .invalid("q_num_heads and kv_num_heads are missing")
      }
      (q, k, v) = (try withHeads(q, heads), try withHeads(k, keyHeads), try withHeads(v, keyHeads))
    }
    for value in [q, k, v] where try rank(value) != 4 {
      throw .invalid("an input is \(try type(value)), expected four axes")
    }
    var sequenceFirst = isFlat
    var past: Dim = 0
    if let pastKey = optionalInput(4), let pastValue = optionalInput(5) {
      guard try rank(pastKey) == 4, try rank(pastValue) == 4 else {
        throw .invalid("past_key is \(try type(pastKey)), expected four axes")
      }
      if isFlat { (q, k, v) = (try headsFirst(q), try headsFirst(k), try headsFirst(v)) }
      sequenceFirst = false
      past = try shape(pastKey)[2]
      (k, v) = (try concat([pastKey, k], axis: 2), try concat([pastValue, v], axis: 2))
    }
    let width = try shape(q)[3]
    var scale = try float("scale")
    if scale == nil {
      guard let width = width.constant, width > 0 else {
        throw .unsupported("scale is not given and the width of heads, \(width), is open")
      }
      scale = 1 / Double(width).squareRoot()
    }
    return AttentionParts(
      q: q, k: k, v: v, sequenceFirst: sequenceFirst, mask: optionalInput(3), scale: scale ?? 1, past: past,
      softCap: try float("softcap", default: 0))
  }

  /// What the mask, causality, windows and the number of valid keys hide.
  fileprivate func limit(_ parts: inout AttentionParts) throws(Diagnostic) {
    let position = parts.sequenceFirst ? 1 : 2
    let (queries, keys) = (try shape(parts.q)[position], try shape(parts.k)[position])
    if let mask = parts.mask {
      let whole = try maskOfAllKeys(mask, keys: keys)
      let element = try element(whole)
      parts.mask = element == .bool ? whole : try cast(whole, to: try self.element(parts.q))
    }
    let isCausal = try flag("is_causal", default: false)
    let (left, right) = (try int("left_window_size", default: -1), try int("right_window_size", default: -1))
    guard left >= -1, right >= -1 else { throw .invalid("a window size is below -1") }
    let after = isCausal ? 0 : right
    guard let valid = optionalInput(6) else {
      (parts.before, parts.after) = (left, after)
      return
    }
    // Each member of the batch has its own number of valid keys, and its queries stand at their end.
    let batch = try shape(parts.q)[0]
    let count = try reshape(try cast(valid, to: .i64), [batch, 1, 1, 1])
    let key = try positions(keys, axis: 3)
    var allowed = try compare(.less, key, count)
    if left >= 0 || after >= 0 {
      let start = try binary(.sub, count, try dimension(queries))
      let distance = try binary(.sub, key, try binary(.add, try positions(queries, axis: 2), start))
      if after >= 0 { allowed = try binary(.and, allowed, try compare(.lessEqual, distance, try scalar(after))) }
      if left >= 0 { allowed = try binary(.and, allowed, try compare(.greaterEqual, distance, try scalar(-left))) }
    }
    parts.mask = try combined(parts.mask, allowed)
  }
}

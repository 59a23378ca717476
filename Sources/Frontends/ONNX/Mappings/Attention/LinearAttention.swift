import IR
import Support

extension ONNXMapping {
  static let linearAttention = ONNXMapping(
    ["LinearAttention"], 27...newest, inputs: 3...6,
    attributes: ["chunk_size", "kv_num_heads", "q_num_heads", "scale", "update_rule"]
  ) { c throws(Diagnostic) in
    guard let heads = try c.int("q_num_heads"), let keyHeads = try c.int("kv_num_heads"), heads > 0, keyHeads > 0 else {
      throw .invalid("q_num_heads or kv_num_heads is missing")
    }
    let rule = try c.string("update_rule", default: "gated_delta")
    guard ["linear", "gated", "delta", "gated_delta"].contains(rule) else {
      throw .invalid("update_rule is \"\(rule)\"")
    }
    let q = try c.withHeads(try c.input(0), heads)
    let (k, v) = (try c.withHeads(try c.input(1), keyHeads), try c.withHeads(try c.input(2), keyHeads))
    let shape = try c.shape(k)
    var decay: ValueID?
    if rule.hasPrefix("gated"), let logarithm = c.optionalInput(4) {
      decay = try c.withHeads(try c.unary(.exp, logarithm), keyHeads)
    }
    var rate: ValueID?
    if rule.hasSuffix("delta"), let given = c.optionalInput(5) {
      guard try c.rank(given) == 3 else { throw .invalid("beta is \(try c.type(given)), expected three axes") }
      let each = try c.broadcast(given, [shape[0], shape[1], Dim(keyHeads)])
      rate = try c.reshape(each, [shape[0], shape[1], Dim(keyHeads), 1])
    } else if rule.hasSuffix("delta") {
      throw .invalid("beta is missing")
    }
    var scale = try c.float("scale", default: 0)
    if scale == 0 {
      guard let width = shape[3].constant, width > 0 else { throw .unsupported("the width of heads is open: \(shape)") }
      scale = 1 / Double(width).squareRoot()
    }
    var state = c.optionalInput(3)
    if let given = state { state = try c.cast(given, to: try c.element(q)) }
    let results = try c.importer.builder.add(LinearAttention(scale: scale), [q, k, v, decay, rate, state])
    return [try c.withoutHeads(results[0]), results[1]]
  }
}

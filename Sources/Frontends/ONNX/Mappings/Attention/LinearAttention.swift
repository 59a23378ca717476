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
      let wide: ElementType = try c.element(logarithm) == .f64 ? .f64 : .f32
      decay = try c.withHeads(try c.unary(.exp, try c.cast(logarithm, to: wide)), keyHeads)
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
    // Factors and state are real numbers at least as wide as f32 throughout: rounding them would add up over the steps.
    let narrow = try c.element(q)
    let wide: ElementType = narrow == .f64 ? .f64 : .f32
    let state = c.optionalInput(3)
    var operands: [ValueID?] = []
    for operand in [q, k, v, decay, rate, state] {
      operands.append(try operand.map { value throws(Diagnostic) in try c.cast(value, to: wide) })
    }
    let results = try c.importer.builder.add(LinearAttention(scale: scale), operands)
    let last = try state.map { value throws(Diagnostic) in try c.element(value) } ?? narrow
    return [try c.withoutHeads(try c.cast(results[0], to: narrow)), try c.cast(results[1], to: last)]
  }
}

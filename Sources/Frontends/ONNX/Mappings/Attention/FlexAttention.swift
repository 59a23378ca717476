import Formats
import IR
import Support

extension ONNXMapping {
  /// Attention whose products and weights may pass through graphs of the model's own.
  static let flexAttention = ONNXMapping(
    ["FlexAttention"], 1...newest, inputs: 3...3, attributes: ["prob_mod", "scale", "score_mod", "softmax_precision"],
    domain: "ai.onnx.preview"
  ) { c throws(Diagnostic) in
    let (q, k, v) = (try c.input(0), try c.input(1), try c.input(2))
    for value in [q, k, v] where try c.rank(value) != 4 {
      throw .invalid("an input is \(try c.type(value)), expected four axes")
    }
    var scale = try c.float("scale")
    if scale == nil {
      guard let width = try c.shape(q)[3].constant, width > 0 else {
        throw .unsupported("scale is not given and the width of heads is open: \(try c.type(q))")
      }
      scale = 1 / Double(width).squareRoot()
    }
    let parts = AttentionParts(q: q, k: k, v: v, sequenceFirst: false, scale: scale ?? 1)
    let isChanged = c.node.attribute("score_mod") != nil || c.node.attribute("prob_mod") != nil
    guard isChanged else { return [try c.add(parts.kind, q, k, v)] }

    let element = try c.element(q)
    let precision = try c.elementType("softmax_precision") ?? (element == .f64 ? .f64 : .f32)
    func changed(_ value: ValueID, _ name: String) throws(Diagnostic) -> ValueID {
      guard c.node.attribute(name) != nil else { return value }
      let results = try c.importer.importSubgraph(try c.graph(name), [value])
      guard results.count == 1 else { throw .invalid("\(name) has \(results.count) outputs, expected one") }
      return results[0]
    }
    let scores = try changed(try c.cast(try c.attentionStep(parts, step: 0), to: precision), "score_mod")
    let weights = try changed(try c.add(Softmax(axis: -1), scores), "prob_mod")
    // Heads that share values are rows of one product.
    let (queries, keys) = (try c.shape(weights), try c.shape(v))
    guard queries.count == 4 else { throw .invalid("score_mod or prob_mod give \(try c.type(weights))") }
    guard let group = queries[1].exactlyDivided(by: keys[1]) else { throw .invalid("heads do not divide evenly") }
    let rows = try c.reshape(
      try c.cast(weights, to: element), [queries[0], keys[1], group * queries[2], queries[3]])
    let mixed = try c.add(MatMul(), rows, v)
    return [try c.reshape(mixed, [queries[0], queries[1], queries[2], keys[3]])]
  }
}

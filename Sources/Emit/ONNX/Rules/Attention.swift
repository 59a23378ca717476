import Formats
import IR
import Support

extension Attention: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let element = try c.element(0)
    let heads = sequenceFirst ? [0, 2, 1, 3] : [0, 1, 2, 3]
    var inputs: [String] = []
    for number in 0..<3 { inputs.append(try c.transposed(try c.input(number), heads)) }
    let wide = ONNXEmissionContext.formulaTypes[element] ?? element
    inputs = inputs.map { c.cast($0, element, to: wide) }
    var context = c.writer.module.inferenceContext
    let extents = try extents(try c.type(0), try c.type(1), try c.type(2), in: &context)
    let mask = try self.mask(extents, wide, c)
    let result = try spelled(inputs, mask, extents, wide, c)
    return [try c.transposed(c.cast(result, wide, to: element), heads)]
  }

  /// What is added to the products, and which keys are hidden.
  private struct Mask {
    var added: String?
    var shown: String?
  }

  private func mask(_ extents: Extents, _ element: ElementType, _ c: ONNXEmissionContext) throws(Diagnostic) -> Mask {
    var mask = Mask()
    if let given = try c.optionalInput(3) {
      let type = try c.element(3)
      if type == .bool { mask.shown = given } else { mask.added = c.cast(given, type, to: element) }
    }
    guard before >= 0 || after >= 0 else { return mask }
    // How far each key lies ahead of each query.
    let zero = try c.number(0, .i64)
    let one = try c.number(1, .i64)
    let queries = c.node("Range", [zero, try c.squeezed(try c.dims([extents.queries])), one])
    let keys = c.node("Range", [zero, try c.squeezed(try c.dims([extents.keys])), one])
    let places = c.node("Add", [try c.reshaped(queries, to: [-1, 1]), try c.dims([offset])])
    let distance = c.node("Sub", [keys, places])
    var shown = mask.shown
    func restrict(_ condition: String) { shown = shown.map { c.node("And", [$0, condition]) } ?? condition }
    if after >= 0 { restrict(c.node("LessOrEqual", [distance, try c.number(Double(after), .i64)])) }
    if before >= 0 { restrict(c.node("GreaterOrEqual", [distance, try c.number(-Double(before), .i64)])) }
    mask.shown = shown
    return mask
  }

  private func spelled(
    _ inputs: [String], _ mask: Mask, _ extents: Extents, _ element: ElementType, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    var (keys, values) = (inputs[1], inputs[2])
    if let heads = extents.heads.constant, let keyHeads = extents.keyHeads.constant, heads != keyHeads {
      keys = try repeated(keys, extents, extents.width, times: heads / max(keyHeads, 1), c)
      values = try repeated(values, extents, extents.valueWidth, times: heads / max(keyHeads, 1), c)
    }
    let scaled = scale == 1 ? inputs[0] : c.node("Mul", [inputs[0], try c.number(scale, element)])
    var products = c.node("MatMul", [scaled, try c.transposed(keys, [0, 1, 3, 2])])
    if softCap > 0 {
      let cap = try c.number(softCap, element)
      products = c.node("Mul", [c.node("Tanh", [c.node("Div", [products, cap])]), cap])
    }
    if let added = mask.added { products = c.node("Add", [products, added]) }
    // The least finite number rather than infinity, of which the greatest could not be subtracted.
    if let shown = mask.shown {
      products = c.node("Where", [shown, products, try c.number(ONNXEmissionContext.hidden(element), element)])
    }
    var weights: String
    if let sinks = try c.optionalInput(4) {
      // One more key for each query, whose weight is left out again.
      let sink = c.node(
        "Expand",
        [
          try c.reshaped(c.cast(sinks, try c.element(4), to: element), to: [1, -1, 1, 1]),
          try c.dims([extents.batch, extents.heads, extents.queries, 1]),
        ])
      let joined = c.node("Concat", [products, sink], [ONNXAttribute("axis", int: 3)])
      weights = c.node("Softmax", [joined], [ONNXAttribute("axis", int: 3)])
      weights = try c.sliced(weights, axis: 3, from: 0, to: -1)
    } else {
      weights = c.node("Softmax", [products], [ONNXAttribute("axis", int: 3)])
    }
    // A query that sees nothing has no weights, rather than equal ones.
    if let shown = mask.shown { weights = c.node("Where", [shown, weights, try c.number(0, element)]) }
    return c.node("MatMul", [weights, values])
  }

  /// Each head of keys as often as heads of queries share it.
  private func repeated(_ x: String, _ extents: Extents, _ width: Dim, times: Int, _ c: ONNXEmissionContext)
    throws(Diagnostic) -> String
  {
    let five = try c.reshaped(
      x, [extents.batch, extents.keyHeads, extents.keys, width],
      to: [extents.batch, extents.keyHeads, 1, extents.keys, width])
    let stretched = c.node(
      "Expand", [five, try c.dims([extents.batch, extents.keyHeads, Dim(times), extents.keys, width])])
    return try c.reshaped(
      stretched, [extents.batch, extents.keyHeads, Dim(times), extents.keys, width],
      to: [extents.batch, extents.heads, extents.keys, width])
  }
}

extension ONNXEmissionContext {
  /// What stands for a product that does not count.
  static func hidden(_ element: ElementType) -> Double { element == .f16 ? -65504 : -3.4028234663852886e38 }
}

extension Rope: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    guard let width = type.shape.last?.constant, let half = try c.type(1).shape.last?.constant else {
      throw .unsupported("rope: the rows of \(type) have an open extent")
    }
    let last = type.rank - 1
    return [
      try c.widened(try c.element(0), try c.inputs(), in: ONNXEmissionContext.formulaTypes) {
        inputs, _ throws(Diagnostic) in
        let (x, cos, sin) = (inputs[0], inputs[1], inputs[2])
        var turned: String
        if interleaved {
          let pairs = try c.sliced(x, axis: last, from: 0, to: 2 * half)
          let split = c.node("Reshape", [pairs, try c.integers(Array(repeating: 0, count: last) + [half, 2])])
          let a = try c.reshapedAway(try c.sliced(split, axis: last + 1, from: 0, to: 1), last, half)
          let b = try c.reshapedAway(try c.sliced(split, axis: last + 1, from: 1, to: 2), last, half)
          let rotated = rotate(a, b, cos, sin, c)
          let ends = try [rotated.a, rotated.b].map { part throws(Diagnostic) in
            c.node("Unsqueeze", [part, try c.integers([-1])])
          }
          let joined = c.node("Concat", ends, [ONNXAttribute("axis", int: -1)])
          turned = c.node("Reshape", [joined, try c.integers(Array(repeating: 0, count: last) + [2 * half])])
        } else {
          let a = try c.sliced(x, axis: last, from: 0, to: half)
          let b = try c.sliced(x, axis: last, from: half, to: 2 * half)
          let rotated = rotate(a, b, cos, sin, c)
          turned = c.node("Concat", [rotated.a, rotated.b], [ONNXAttribute("axis", int: last)])
        }
        guard 2 * half < width else { return turned }
        let rest = try c.sliced(x, axis: last, from: 2 * half, to: width)
        return c.node("Concat", [turned, rest], [ONNXAttribute("axis", int: last)])
      }
    ]
  }

  private func rotate(_ a: String, _ b: String, _ cos: String, _ sin: String, _ c: ONNXEmissionContext) -> (
    a: String, b: String
  ) {
    (
      c.node("Sub", [c.node("Mul", [a, cos]), c.node("Mul", [b, sin])]),
      c.node("Add", [c.node("Mul", [b, cos]), c.node("Mul", [a, sin])])
    )
  }
}

extension ONNXEmissionContext {
  fileprivate func reshapedAway(_ x: String, _ last: Int, _ extent: Int) throws(Diagnostic) -> String {
    node("Reshape", [x, try integers(Array(repeating: 0, count: last) + [extent])])
  }
}

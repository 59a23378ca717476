import Formats
import IR
import Support

extension LinearAttention: ONNXEmission {
  /// A scan over the steps, which carries the state.
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let (q, k, v) = (try c.type(0), try c.type(1), try c.type(2))
    let element = try c.element(0)
    let wide: ElementType = element == .f64 ? .f64 : .f32
    let stateShape = [q.shape[0], k.shape[2], q.shape[3], v.shape[3]]
    var inputs: [String] = []
    if let state = try c.optionalInput(5) {
      inputs.append(c.cast(state, element, to: wide))
    } else {
      inputs.append(try c.expanded(try c.number(0, wide), [], to: stateShape))
    }
    var arguments: [(name: String, type: ValueType)] = [(c.writer.fresh(), .tensor(wide, stateShape))]
    for number in 0..<5 where c.has(number) {
      inputs.append(c.cast(try c.input(number), element, to: wide))
      // One step of it.
      let shape = try c.type(number).shape
      arguments.append((c.writer.fresh(), .tensor(wide, [shape[0]] + shape.dropFirst(2))))
    }
    let body = try c.writer.subgraph(named: "step", arguments: arguments) { () throws(Diagnostic) in
      let names = arguments.map(\.name)
      let decay = c.has(3) ? names[4] : nil
      let rate = c.has(4) ? names[names.count - 1] : nil
      let next = try nextState(names[0], names[2], names[3], decay, rate, c)
      let result = try read(names[1], next, q, k, v, c)
      let row = ValueType.tensor(wide, [q.shape[0], q.shape[2], v.shape[3]])
      return [(name: next, type: .tensor(wide, stateShape)), (name: result, type: row)]
    }
    let scanned = inputs.count - 1
    let attributes = [
      ONNXAttribute("body", graph: body), ONNXAttribute("num_scan_inputs", int: scanned),
      ONNXAttribute("scan_input_axes", ints: Array(repeating: 1, count: scanned)),
      ONNXAttribute("scan_output_axes", ints: [1]),
    ]
    let results = c.nodes("Scan", inputs, attributes, outputs: 2)
    return [c.cast(results[1], wide, to: element), c.cast(results[0], wide, to: element)]
  }

  private func nextState(
    _ state: String, _ k: String, _ v: String, _ decay: String?, _ rate: String?, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    func unsqueezed(_ x: String, _ axis: Int) throws(Diagnostic) -> String {
      c.node("Unsqueeze", [x, try c.integers([axis])])
    }
    var state = state
    if let decay { state = c.node("Mul", [state, try unsqueezed(decay, 3)]) }
    var new = try unsqueezed(v, 2)
    if let rate {
      let known = c.node("MatMul", [try unsqueezed(k, 2), state])
      new = c.node("Mul", [c.node("Sub", [new, known]), try unsqueezed(rate, 2)])
    }
    return c.node("Add", [state, c.node("MatMul", [try unsqueezed(k, 3), new])])
  }

  /// What the queries of one step read; neighbouring ones share a head of keys.
  private func read(
    _ q: String, _ state: String, _ query: TensorType, _ key: TensorType, _ value: TensorType, _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    let (batch, heads, keyHeads) = (query.shape[0], query.shape[2], key.shape[2])
    let row = [batch, heads, query.shape[3]]
    let group = heads == keyHeads ? Dim(1) : Dim((heads.constant ?? 1) / max(keyHeads.constant ?? 1, 1))
    let shared = try c.reshaped(q, row, to: [batch, keyHeads, group, query.shape[3]])
    let read = c.node("MatMul", [shared, state])
    let columns = value.shape[3]
    let joined = try c.reshaped(read, [batch, keyHeads, group, columns], to: [batch, heads, columns])
    let element: ElementType = try c.element(0) == .f64 ? .f64 : .f32
    return c.node("Mul", [joined, try c.number(scale, element)])
  }
}

import Formats
import IR
import Support

extension ArgExtreme: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let element = try c.element(0)
    if element == .i64 || element == .u64, !last {
      // Wide integers are ordered, but have no extremes, in runtimes.
      let attributes = [ONNXAttribute("axis", int: axis), ONNXAttribute("largest", int: function == .max ? 1 : 0)]
      return [c.nodes("TopK", [try c.input(0), try c.integers([1])], attributes, outputs: 2)[1]]
    }
    let types: [ElementType: ElementType] = [.i16: .i32, .u16: .i32, .u32: .f64, .bf16: .f32]
    let x = c.cast(try c.input(0), element, to: types[element] ?? element)
    let attributes = [
      ONNXAttribute("axis", int: axis), ONNXAttribute("keepdims", int: 1),
      ONNXAttribute("select_last_index", int: last ? 1 : 0),
    ]
    return [c.node(function == .max ? "ArgMax" : "ArgMin", [x], attributes)]
  }
}

extension Cumulative: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let attributes = [
      ONNXAttribute("exclusive", int: exclusive ? 1 : 0), ONNXAttribute("reverse", int: reverse ? 1 : 0),
    ]
    let place = try c.number(Double(axis), .i64)
    return [
      try c.widened(try c.element(0), [try c.input(0)]) { inputs, _ throws(Diagnostic) in
        c.node(function == .sum ? "CumSum" : "CumProd", inputs + [place], attributes)
      }
    ]
  }
}

extension TopK: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let attributes = [
      ONNXAttribute("axis", int: axis), ONNXAttribute("largest", int: largest ? 1 : 0), ONNXAttribute("sorted", int: 1),
    ]
    let element = try c.element(0)
    let wide = ONNXEmissionContext.arithmeticTypes[element] ?? element
    var results = c.nodes("TopK", [c.cast(try c.input(0), element, to: wide), try c.dims([k])], attributes, outputs: 2)
    results[0] = c.cast(results[0], wide, to: element)
    return results
  }
}

extension Unique: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let attributes = [ONNXAttribute("axis", int: 0), ONNXAttribute("sorted", int: sorted ? 1 : 0)]
    let element = try c.element(0)
    let types: [ElementType: ElementType] = [
      .u8: .i64, .i16: .i64, .u16: .i64, .i32: .i64, .u32: .i64, .f16: .f32, .bf16: .f32,
    ]
    let x = c.cast(try c.input(0), element, to: types[element] ?? element)
    return Array(c.nodes("Unique", [x], attributes, outputs: 4).dropFirst())
  }
}

extension NonMaxSuppression: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    var inputs = [try c.input(0), try c.input(1)]
    inputs.append(try c.reshaped(c.cast(try c.input(2), try c.element(2), to: .i64), to: [1]))
    inputs.append(try c.reshaped(try c.input(3), to: [1]))
    if let threshold = try c.optionalInput(4) { inputs.append(try c.reshaped(threshold, to: [1])) }
    return [c.node("NonMaxSuppression", inputs, [ONNXAttribute("center_point_box", int: center ? 1 : 0)])]
  }
}

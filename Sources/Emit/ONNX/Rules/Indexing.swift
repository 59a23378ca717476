import Formats
import IR
import Support

extension GatherElements: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [c.node("GatherElements", [try c.input(0), try c.index(1)], [ONNXAttribute("axis", int: axis)])]
  }
}

extension GatherND: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let indices = c.cast(try c.input(1), try c.element(1), to: .i64)
    return [c.node("GatherND", [try c.input(0), indices], [ONNXAttribute("batch_dims", int: batchDims)])]
  }
}

extension ScatterElements: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let attributes = [ONNXAttribute("axis", int: axis), ONNXAttribute("reduction", string: reduction.rawValue)]
    return [c.node("ScatterElements", [try c.input(0), try c.index(1), try c.input(2)], attributes)]
  }
}

extension ScatterND: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let indices = c.cast(try c.input(1), try c.element(1), to: .i64)
    return [
      c.node(
        "ScatterND", [try c.input(0), indices, try c.input(2)], [ONNXAttribute("reduction", string: reduction.rawValue)]
      )
    ]
  }
}

extension ReverseSequence: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let rank = try c.type(0).rank
    let (batch, time) = try axes(rank: rank)
    // The format takes the first two axes only.
    let order = [batch, time] + (0..<rank).filter { $0 != batch && $0 != time }
    let isPlain = Set([batch, time]) == [0, 1]
    let x = isPlain ? try c.input(0) : try c.transposed(try c.input(0), order)
    let lengths = c.cast(try c.input(1), try c.element(1), to: .i64)
    let places = isPlain ? (batch, time) : (0, 1)
    let result = c.node(
      "ReverseSequence", [x, lengths],
      [ONNXAttribute("batch_axis", int: places.0), ONNXAttribute("time_axis", int: places.1)])
    guard !isPlain else { return [result] }
    var back = order
    for (place, axis) in order.enumerated() { back[axis] = place }
    return [try c.transposed(result, back)]
  }
}

import Formats
import IR
import Support

extension Reshape: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [try c.reshaped(try c.input(0), try c.type(0).shape, to: shape)]
  }
}

extension Transpose: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [try c.writer.transposed(try c.input(0), permutation, weightIsShared: c.isShared(0))]
  }
}

extension Broadcast: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    return [try c.expanded(try c.input(0), type.shape, to: shape)]
  }
}

extension Concat: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [c.node("Concat", try c.inputs(), [ONNXAttribute("axis", int: axis)])]
  }
}

extension Slice: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let extents = try c.type(0).shape
    var axes: [Int] = []
    var ends: [Dim] = []
    for axis in starts.indices {
      if starts[axis] == 0, sizes[axis] == extents[axis], steps[axis] == 1 { continue }
      axes.append(axis)
      ends.append(try end(of: axis, c))
    }
    if axes.isEmpty { return [try c.input(0)] }
    var inputs = [try c.input(0), try c.dims(axes.map { starts[$0] }), try c.dims(ends), try c.integers(axes)]
    if axes.contains(where: { steps[$0] != 1 }) { inputs.append(try c.integers(axes.map { steps[$0] })) }
    return [c.node("Slice", inputs)]
  }

  /// Where the part ends, in the step's direction. In front of the first element there is no number but the least.
  private func end(of axis: Int, _ c: ONNXEmissionContext) throws(Diagnostic) -> Dim {
    let end = starts[axis] + sizes[axis] * steps[axis]
    guard steps[axis] < 0 else { return end }
    let range = end.bounds(c.writer.symbolRanges)
    if range.upperBound < 0 { return Dim(-Int(Int32.max)) }
    guard range.lowerBound >= 0 else {
      throw .unsupported("slice: it cannot be told whether \(end) lies in front of axis \(axis)")
    }
    return end
  }
}

extension Gather: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    _ = try c.element(0)
    return [c.node("Gather", [try c.input(0), try c.index(1)], [ONNXAttribute("axis", int: axis)])]
  }
}

extension Pad: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    let element = try c.element(type)
    var filler: Tensor
    switch type.element {
    case .quantized(let stored, let name):
      guard let parameters = c.writer.module.quantization(name), parameters.scales.count == 1 else {
        throw .unsupported("pad: \(type) has a scale for each index of an axis")
      }
      let units = Int(saturating: (value / Double(parameters.scales[0])).rounded(.toNearestOrEven))
      let bounds = stored.integerRange ?? 0...0
      filler = .scalar(min(max(units + parameters.zeroPoints[0], bounds.lowerBound), bounds.upperBound), stored)
    default: filler = element.isFloat ? .scalar(value, element) : .scalar(Int(saturating: value), element)
    }
    return [c.node("Pad", [try c.input(0), try c.integers(before + after), try c.constant(filler)])]
  }
}

extension NonZero: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let element = try c.element(0)
    let rank = try c.type(0).rank
    let x = c.cast(try c.input(0), element, to: .bool)
    let places = c.node("NonZero", [rank == 0 ? try c.reshaped(x, to: [1]) : x])
    // The format gives a scalar an index of an axis that it does not have.
    return [rank == 0 ? try c.sliced(places, axis: 0, from: 0, to: 0) : places]
  }
}

extension ONNXEmissionContext {
  /// An operand that the format wants as i64 or i32.
  func index(_ number: Int) throws(Diagnostic) -> String {
    let element = try element(number)
    return element == .i32 || element == .i64 ? try input(number) : cast(try input(number), to: .i64)
  }

  /// Whether something else reads the operand too.
  func isShared(_ number: Int) -> Bool {
    guard let value = operation.operands[number] else { return false }
    return writer.function[value].uses.count > 1
  }
}

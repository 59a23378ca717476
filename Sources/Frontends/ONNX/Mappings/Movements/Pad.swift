import IR
import Support

extension ONNXMapping {
  static let padByAttributes = ONNXMapping(
    ["Pad"], 2...10, inputs: 1...1, attributes: ["mode", "pads", "value"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    guard let pads = try c.ints("pads") else { throw .invalid("attribute \"pads\" is missing") }
    let rank = try c.rank(x)
    guard pads.count == 2 * rank else { throw .invalid("pads is \(pads), expected \(2 * rank) numbers") }
    return [
      try c.padded(
        x, before: Array(pads[..<rank]), after: Array(pads[rank...]), value: try c.float("value", default: 0))
    ]
  }

  static let pad = ONNXMapping(["Pad"], 11...newest, inputs: 2...4, attributes: ["mode"]) { c throws(Diagnostic) in
    let x = try c.input(0)
    let rank = try c.rank(x)
    var axes = Array(0..<rank)
    if let given = try c.constantIntegers(3, "axes") {
      axes = []
      for axis in given { axes.append(try c.axis(axis, rank: rank)) }
      guard Set(axes).count == axes.count else { throw .invalid("axes \(given) name one twice") }
    }
    let fill = c.optionalInput(2)
    let value = fill == nil ? 0 : fill.flatMap { c.tensor($0) }?.doubles().first
    if let pads = c.integers(try c.input(1)), let value {
      guard pads.count == 2 * axes.count else { throw .invalid("pads is \(pads), expected \(2 * axes.count) numbers") }
      var (before, after) = (Array(repeating: 0, count: rank), Array(repeating: 0, count: rank))
      for (number, axis) in axes.enumerated() {
        before[axis] = pads[number]
        after[axis] = pads[number + axes.count]
      }
      return [try c.padded(x, before: before, after: after, value: value)]
    }
    guard try c.string("mode", default: "constant") == "constant" else {
      throw .unsupported("padding by a computed number of elements is only supported in mode constant")
    }
    // What is added is stretched from the value and joined on.
    let pads = try c.extents(of: try c.input(1), "pad")
    guard pads.count == 2 * axes.count else { throw .invalid("\(pads.count) pads do not fit \(axes.count) axes") }
    let element = try c.element(x)
    let filler: ValueID
    if let fill { filler = try c.reshape(fill, []) } else { filler = try c.scalar(0.0, element) }
    var result = x
    for (number, axis) in axes.enumerated() {
      result = try c.surrounded(result, axis: axis, pads[number], pads[number + axes.count], by: filler)
    }
    return [result]
  }
}

extension ONNXNodeContext {
  /// `before` and `after` more elements of `filler` along an axis.
  func surrounded(
    _ x: ValueID, axis: Int, _ before: Dim, _ after: Dim, by filler: ValueID
  ) throws(Diagnostic) -> ValueID {
    var parts = [x]
    var dims = try shape(x)
    if before.constant != 0 {
      dims[axis] = before
      parts.insert(try broadcast(filler, dims), at: 0)
    }
    if after.constant != 0 {
      dims[axis] = after
      parts.append(try broadcast(filler, dims))
    }
    return try concat(parts, axis: axis)
  }

  fileprivate func padded(
    _ x: ValueID, before: [Int], after: [Int], value: Double
  ) throws(Diagnostic) -> ValueID {
    let mode = try string("mode", default: "constant")
    guard ["constant", "edge", "reflect", "wrap"].contains(mode) else { throw .invalid("mode is \"\(mode)\"") }
    guard (before + after).allSatisfy({ $0.magnitude <= 1 << 40 }) else { throw .invalid("pads are too large") }
    if mode == "constant" {
      if try element(x) != .bool { return try add(Pad(before: before, after: after, value: value), x) }
      let bytes = try add(Pad(before: before, after: after, value: value), try cast(x, to: .u8))
      return try cast(bytes, to: .bool)
    }
    var result = x
    for axis in before.indices {
      let extent = try shape(x)[axis]
      // Cut first: what is added repeats what is left.
      let (front, back) = (max(-before[axis], 0), max(-after[axis], 0))
      result = try slice(result, axis: axis, start: Dim(front), size: extent - (front + back))
      let left = try added(result, axis, max(before[axis], 0), atEnd: false, mode)
      let right = try added(result, axis, max(after[axis], 0), atEnd: true, mode)
      result = try concat([left, result, right].compactMap { $0 }, axis: axis)
    }
    return result
  }

  /// The `count` elements that a mode puts before or behind an axis.
  private func added(
    _ x: ValueID, _ axis: Int, _ count: Int, atEnd: Bool, _ mode: String
  ) throws(Diagnostic) -> ValueID? {
    guard count > 0 else { return nil }
    var dims = try shape(x)
    let extent = dims[axis]
    if mode == "edge" {
      let edge = try slice(x, axis: axis, start: atEnd ? extent - 1 : 0, size: 1)
      dims[axis] = Dim(count)
      return try broadcast(edge, dims)
    }
    let needed = mode == "reflect" ? count + 1 : count
    if let available = extent.constant, available < needed {
      throw .unsupported("mode \(mode) adds \(count) elements to an axis of \(available)")
    }
    if mode == "wrap" { return try slice(x, axis: axis, start: atEnd ? 0 : extent - count, size: Dim(count)) }
    return try slice(x, axis: axis, start: atEnd ? extent - 2 : Dim(count), size: Dim(count), step: -1)
  }
}

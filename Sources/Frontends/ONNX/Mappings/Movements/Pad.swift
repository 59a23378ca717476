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
    if let given = c.optionalInput(3), c.integers(given) == nil { return [try c.paddedAtRunTime(given)] }
    if let given = c.optionalInput(3).flatMap(c.integers) {
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
    return [try c.paddedAtRunTime(try c.constant(axes))]
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
      if mode != "edge", let count = extent.constant,
        count - max(-before[axis], 0) - max(-after[axis], 0) <= max(before[axis], after[axis])
      {
        // More than once around.
        result = try repeated(
          result, axis, try scalar(before[axis]), try scalar(after[axis]), extent + (before[axis] + after[axis]), mode)
        continue
      }
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
    if mode == "wrap" { return try slice(x, axis: axis, start: atEnd ? 0 : extent - count, size: Dim(count)) }
    return try slice(x, axis: axis, start: atEnd ? extent - 2 : Dim(count), size: Dim(count), step: -1)
  }

  /// Padding by numbers that only the run knows, along axes that only the run knows.
  fileprivate func paddedAtRunTime(_ axes: ValueID) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    let mode = try string("mode", default: "constant")
    guard ["constant", "edge", "reflect", "wrap"].contains(mode) else { throw .invalid("mode is \"\(mode)\"") }
    let count = try listLength(axes)
    let pads = try input(1)
    guard try listLength(pads) == 2 * count else {
      throw .invalid("the pads \(try type(pads)) do not fit \(count) axes")
    }
    let zeros = try constant(Array(repeating: 0, count: shape.count))
    func part(_ start: Int) throws(Diagnostic) -> ValueID {
      try spread(try slice(pads, axis: 0, start: Dim(start), size: Dim(count)), over: zeros, axes: axes)
    }
    let (before, after) = (try part(0), try part(count))
    let filler: ValueID
    if let fill = optionalInput(2) {
      filler = try reshape(fill, [])
    } else {
      filler = try element(x) == .bool ? try scalar(0, .bool) : try number(0, like: x)
    }
    var result = x
    for axis in shape.indices {
      let (front, back) = (try picked(before, axis), try picked(after, axis))
      if integers(front) == [0], integers(back) == [0] { continue }
      let length = try binary(.add, try dimension(shape[axis]), try binary(.add, front, back))
      let extent = try self.extent(of: length, "padded")
      result =
        mode == "constant"
        ? try surroundedBy(filler, result, axis, front, back, extent)
        : try repeated(result, axis, front, back, extent, mode)
    }
    return result
  }

  /// `extent` elements of `x` and, around them, of `filler`.
  private func surroundedBy(
    _ filler: ValueID, _ x: ValueID, _ axis: Int, _ front: ValueID, _ back: ValueID, _ extent: Dim
  ) throws(Diagnostic) -> ValueID {
    let zero = try scalar(0)
    func added(_ count: ValueID) throws(Diagnostic) -> Dim {
      try self.extent(of: try binary(.maximum, count, zero), "pad")
    }
    let wide = try surrounded(x, axis: axis, try added(front), try added(back), by: filler)
    let start = try self.extent(of: try binary(.maximum, try unary(.neg, front), zero), "cut")
    return try slice(wide, axis: axis, start: start, size: extent)
  }

  /// `extent` elements of `x`, which goes on beyond its ends as `mode` says.
  private func repeated(
    _ x: ValueID, _ axis: Int, _ front: ValueID, _ back: ValueID, _ extent: Dim, _ mode: String
  ) throws(Diagnostic) -> ValueID {
    let (zero, one) = (try scalar(0), try scalar(1))
    // What is left of the axis, from `first` on, is what repeats.
    let first = try binary(.maximum, try unary(.neg, front), zero)
    let cut = try binary(.add, first, try binary(.maximum, try unary(.neg, back), zero))
    let count = try binary(.sub, try dimension(try shape(x)[axis]), cut)
    let last = try binary(.sub, count, one)
    var place = try binary(.sub, try iota(extent), try binary(.maximum, front, zero))
    switch mode {
    case "edge": place = try binary(.maximum, try binary(.minimum, place, last), zero)
    case "wrap": place = try binary(.mod, place, count)
    default:
      let period = try binary(.maximum, try binary(.mul, last, try scalar(2)), one)
      let turn = try binary(.mod, place, period)
      place = try binary(.minimum, turn, try binary(.sub, period, turn))
      // A single element has nothing to turn to.
      place = try binary(.minimum, place, last)
    }
    return try add(Gather(axis: axis), x, try binary(.add, place, first))
  }
}

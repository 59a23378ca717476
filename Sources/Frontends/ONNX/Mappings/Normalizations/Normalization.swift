import IR
import Support

extension ONNXNodeContext {
  struct Normalized {
    let value: ValueID
    let mean: ValueID
    let inverseDeviation: ValueID
  }

  /// `(x - mean) / sqrt(variance + epsilon)` over `axes`.
  func normalized(_ x: ValueID, axes: [Int], epsilon: Double) throws(Diagnostic) -> Normalized {
    let mean = try reduce(.mean, x, axes: axes)
    let centered = try binary(.sub, x, mean)
    let variance = try reduce(.mean, try binary(.mul, centered, centered), axes: axes)
    let inverse = try unary(.rsqrt, try binary(.add, variance, try number(epsilon, like: x)))
    return Normalized(value: try binary(.mul, centered, inverse), mean: mean, inverseDeviation: inverse)
  }
}

extension ONNXMapping {
  static let instanceNormalization = ONNXMapping(
    ["InstanceNormalization"], 6...newest, inputs: 3...3, attributes: ["epsilon"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let rank = try c.rank(x)
    guard rank >= 3 else { throw .invalid("the image is \(try c.type(x)), without spatial axes") }
    let normal = try c.normalized(
      try c.channelsLast(x), axes: Array(1..<rank - 1), epsilon: try c.float("epsilon", default: 1e-5))
    let scaled = try c.binary(.mul, normal.value, try c.input(1))
    return [try c.channelsFirst(try c.binary(.add, scaled, try c.input(2)))]
  }

  /// Groups of channels are normalised together. Scale and bias are a channel's since opset 21, a group's before.
  static let groupNormalization = ONNXMapping(
    ["GroupNormalization"], 18...newest, inputs: 3...3, attributes: ["epsilon", "num_groups", "stash_type"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    guard shape.count >= 3, let groups = try c.int("num_groups"), groups > 0 else {
      throw .invalid("num_groups or the spatial axes are missing")
    }
    guard let channels = shape[1].exactlyDivided(by: Dim(groups)) else {
      throw .invalid("\(shape[1]) channels do not divide into \(groups) groups")
    }
    let flat = try c.reshape(x, [shape[0], Dim(groups), shape[2...].reduce(channels, *)])
    let normal = try c.add(LayerNorm(axis: 2, epsilon: try c.float("epsilon", default: 1e-5)), flat)
    let value = try c.reshape(normal, [shape[0], Dim(groups), channels] + shape.dropFirst(2))
    let ones = [Dim](repeating: 1, count: shape.count - 2)
    if c.version < 21 {
      let scaled = try c.binary(.mul, value, try c.reshape(try c.input(1), [Dim(groups), 1] + ones))
      return [
        try c.reshape(try c.binary(.add, scaled, try c.reshape(try c.input(2), [Dim(groups), 1] + ones)), shape)
      ]
    }
    let image = try c.reshape(value, shape)
    let scaled = try c.binary(.mul, image, try c.reshape(try c.input(1), [shape[1]] + ones))
    return [try c.binary(.add, scaled, try c.reshape(try c.input(2), [shape[1]] + ones))]
  }

  static let meanVarianceNormalization = ONNXMapping(
    ["MeanVarianceNormalization"], 9...newest, inputs: 1...1, attributes: ["axes"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    var axes: [Int] = []
    for axis in try c.ints("axes") ?? [0, 2, 3] { axes.append(try c.axis(axis, rank: try c.rank(x))) }
    let mean = try c.reduce(.mean, x, axes: axes)
    let centered = try c.binary(.sub, x, mean)
    let variance = try c.reduce(.mean, try c.binary(.mul, centered, centered), axes: axes)
    // The format's own definition keeps the deviation from being zero by this much.
    let deviation = try c.binary(.add, try c.unary(.sqrt, variance), try c.number(1e-9, like: x))
    return [try c.binary(.div, centered, deviation)]
  }

  static let lpNormalization = ONNXMapping(
    ["LpNormalization"], 1...newest, inputs: 1...1, attributes: ["axis", "p"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let axis = try c.axis(try c.int("axis", default: -1), rank: try c.rank(x))
    let power = try c.int("p", default: 2)
    guard power == 1 || power == 2 else { throw .invalid("p is \(power), expected 1 or 2") }
    let norm =
      power == 1
      ? try c.reduce(.sum, try c.unary(.abs, x), axes: [axis])
      : try c.unary(.sqrt, try c.reduce(.sum, try c.binary(.mul, x, x), axes: [axis]))
    // Of zeros only, the result is zeros.
    let isZero = try c.compare(.equal, norm, try c.number(0, like: x))
    return [try c.binary(.div, x, try c.select(isZero, try c.number(1, like: x), norm))]
  }
}

import Formats
import IR
import Support

// Random numbers are reproducible: a node without a seed takes one from the name of its result.

extension ONNXMapping {
  static let randoms: [ONNXMapping] = [
    randomUniform, randomUniformLike, randomNormal, randomNormalLike, bernoulli, multinomial, dropout,
  ]

  private static let uniformAttributes = ["dtype", "high", "low", "seed"]
  private static let normalAttributes = ["dtype", "mean", "scale", "seed"]

  static let randomUniform = ONNXMapping(
    ["RandomUniform"], 1...newest, inputs: 0...0, attributes: uniformAttributes + ["shape"]
  ) { c throws(Diagnostic) in
    [try c.uniformBetween(try c.namedShape(), try c.elementType("dtype") ?? .f32)]
  }

  static let randomUniformLike = ONNXMapping(
    ["RandomUniformLike"], 1...newest, inputs: 1...1, attributes: uniformAttributes
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let own = try c.element(x)
    return [try c.uniformBetween(try c.shape(x), try c.elementType("dtype") ?? own)]
  }

  static let randomNormal = ONNXMapping(
    ["RandomNormal"], 1...newest, inputs: 0...0, attributes: normalAttributes + ["shape"]
  ) { c throws(Diagnostic) in
    [try c.normal(try c.namedShape(), try c.elementType("dtype") ?? .f32)]
  }

  static let randomNormalLike = ONNXMapping(
    ["RandomNormalLike"], 1...newest, inputs: 1...1, attributes: normalAttributes
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let own = try c.element(x)
    return [try c.normal(try c.shape(x), try c.elementType("dtype") ?? own)]
  }

  /// `Bernoulli`: true with the probability that the input says.
  static let bernoulli = ONNXMapping(
    ["Bernoulli"], 15...newest, inputs: 1...1, attributes: ["dtype", "seed"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let element = try c.element(x)
    let computed: ElementType = element == .f64 ? .f64 : .f32
    let isBelow = try c.compare(.less, try c.uniform(try c.shape(x), computed), try c.cast(x, to: computed))
    return [try c.cast(isBelow, to: try c.elementType("dtype") ?? element)]
  }

  /// `Multinomial`: the class whose logarithm of probability plus Gumbel noise is the greatest.
  static let multinomial = ONNXMapping(
    ["Multinomial"], 7...newest, inputs: 1...1, attributes: ["dtype", "sample_size", "seed"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    let samples = try c.int("sample_size", default: 1)
    guard shape.count == 2, samples > 0, samples <= 1 << 31 else {
      throw .invalid("the input is \(try c.type(x)) and sample_size is \(samples), expected a matrix and a count")
    }
    let element: ElementType = try c.element(x) == .f64 ? .f64 : .f32
    let uniform = try c.uniform([shape[0], Dim(samples), shape[1]], element)
    let waiting = try c.unary(.neg, try c.unary(.log1p, try c.unary(.neg, uniform)))
    let logits = try c.reshape(try c.cast(x, to: element), [shape[0], 1, shape[1]])
    let score = try c.binary(.sub, logits, try c.unary(.log, waiting))
    let index = try c.add(ArgExtreme(.max, axis: 2), score)
    return [
      try c.cast(try c.reshape(index, [shape[0], Dim(samples)]), to: try c.elementType("dtype") ?? .i32)
    ]
  }

  /// In inference everything passes, and the mask says so. In training elements are dropped with probability `ratio`
  /// and the others scaled up.
  static let dropout = ONNXMapping(
    ["Dropout"], 7...newest, inputs: 1...3, attributes: ["ratio", "seed"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    let training = c.optionalInput(2)
    if let training, c.integers(training)?.first != 0 {
      let element = try c.element(x)
      let ratio: ValueID
      if let given = c.optionalInput(1) {
        ratio = try c.cast(try c.reshape(given, []), to: .f32)
      } else {
        ratio = try c.scalar(0.5, .f32)
      }
      let isInference = try c.unary(.not, try c.reshape(training, []))
      let isKept = try c.binary(
        .or, try c.compare(.greaterEqual, try c.uniform(shape, .f32), ratio), isInference)
      let share = try c.binary(.sub, try c.scalar(1.0, .f32), ratio)
      let divisor = try c.select(isInference, try c.scalar(1.0, .f32), share)
      let scaled = try c.binary(.div, x, try c.cast(divisor, to: element))
      let result = try c.select(isKept, scaled, try c.scalar(0.0, element))
      return c.hasOutput(1) ? [result, isKept] : [result]
    }
    guard c.hasOutput(1) else { return [x] }
    // Before opset 10 the mask had the type of the input.
    let one = try c.version < 10 ? c.number(1, like: x) : c.scalar(1, .bool)
    return [x, try c.broadcast(one, shape)]
  }
}

extension ONNXNodeContext {
  fileprivate func namedShape() throws(Diagnostic) -> [Dim] {
    guard let shape = try ints("shape") else { throw .invalid("attribute \"shape\" is missing") }
    return shape.map { Dim($0) }
  }

  private func seed() throws(Diagnostic) -> Int {
    if node.operatorType == "Dropout" {
      if let seed = try int("seed") { return seed }
    } else if let seed = try float("seed") {
      return Int(bitPattern: UInt(seed.bitPattern))
    }
    return (node.outputs.first ?? "").utf8.reduce(0) { $0 &* 1_099_511_628_211 &+ Int($1) }
  }

  /// Evenly distributed in 0 ..< 1, f32 or f64, with as many bits as the type's mantissa.
  fileprivate func uniform(_ shape: [Dim], _ element: ElementType, stream: Int = 0) throws(Diagnostic) -> ValueID {
    let (source, shift, unit): (ElementType, Int, Double) =
      element == .f64 ? (.u64, 11, 0x1p-53) : (.u32, 8, 0x1p-24)
    let bits = try add(RandomBits(source, shape: shape, seed: try seed(), stream: stream))
    let number = try binary(.shiftRight, bits, try scalar(shift, source))
    return try binary(.mul, try cast(number, to: element), try scalar(unit, element))
  }

  fileprivate func uniformBetween(_ shape: [Dim], _ element: ElementType) throws(Diagnostic) -> ValueID {
    let computed: ElementType = element == .f64 ? .f64 : .f32
    let (low, high) = (try float("low", default: 0), try float("high", default: 1))
    let unit = try uniform(shape, computed)
    let scaled = try binary(.mul, unit, try scalar(high - low, computed))
    return try cast(try binary(.add, scaled, try scalar(low, computed)), to: element)
  }

  /// By Box and Muller's transform: a radius and an angle.
  fileprivate func normal(_ shape: [Dim], _ element: ElementType) throws(Diagnostic) -> ValueID {
    let computed: ElementType = element == .f64 ? .f64 : .f32
    let (mean, scale) = (try float("mean", default: 0), try float("scale", default: 1))
    let logarithm = try unary(.log1p, try unary(.neg, try uniform(shape, computed)))
    let radius = try unary(.sqrt, try binary(.mul, logarithm, try scalar(-2.0, computed)))
    let turn = try uniform(shape, computed, stream: 1)
    let wave = try unary(.cos, try binary(.mul, turn, try scalar(2 * Double.pi, computed)))
    let unit = try binary(.mul, radius, wave)
    let scaled = try binary(.mul, unit, try scalar(scale, computed))
    return try cast(try binary(.add, scaled, try scalar(mean, computed)), to: element)
  }
}

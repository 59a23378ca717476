import IR
import Support

extension ONNXMapping {
  private static let lossAttributes = ["ignore_index", "reduction"]

  static let likelihoodLoss = ONNXMapping(
    ["NegativeLogLikelihoodLoss"], 12...newest, inputs: 2...3, attributes: lossAttributes
  ) { c throws(Diagnostic) in
    [try c.likelihoodLoss(try c.input(0))]
  }

  static let crossEntropyLoss = ONNXMapping(
    ["SoftmaxCrossEntropyLoss"], 12...newest, inputs: 2...3, attributes: lossAttributes
  ) { c throws(Diagnostic) in
    let logarithms = try c.logSoftmax(try c.input(0), axis: 1)
    let loss = try c.likelihoodLoss(logarithms)
    return c.hasOutput(1) ? [loss, logarithms] : [loss]
  }
}

extension ONNXNodeContext {
  /// Minus the logarithm of the probability that `x` gives to each label (input 1), by its weight (input 2).
  fileprivate func likelihoodLoss(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let labels = try input(1)
    let (shape, own) = (try shape(x), try shape(labels))
    guard shape.count >= 2, own.count == shape.count - 1 else {
      throw .invalid("the labels are \(try type(labels)), which does not fit \(try type(x))")
    }
    let column = try reshape(labels, [own[0], 1] + own[1...])
    let isLabel = try compare(.equal, try cast(column, to: .i64), try iota(along: 1, of: x))
    let zero = try number(0, like: x)
    func chosen(_ value: ValueID) throws(Diagnostic) -> ValueID {
      try reduce(.sum, try select(isLabel, value, zero), axes: [1], keepDims: false)
    }
    var loss = try unary(.neg, try chosen(x))
    var weights: ValueID?
    if let given = optionalInput(2) {
      let row = try reshape(given, [1, shape[1]] + shape[2...].map { _ in 1 })
      let weight = try chosen(row)
      loss = try binary(.mul, loss, weight)
      weights = weight
    }
    if let ignored = try int("ignore_index") {
      let isIgnored = try compare(.equal, labels, try scalar(ignored, try element(labels)))
      loss = try select(isIgnored, zero, loss)
      let one = try number(1, like: x)
      weights = try select(isIgnored, zero, weights ?? one)
    }
    let axes = Array(own.indices)
    switch try string("reduction", default: "mean") {
    case "none": return loss
    case "sum": return try reduce(.sum, loss, axes: axes, keepDims: false)
    case "mean":
      guard let weights else { return try reduce(.mean, loss, axes: axes, keepDims: false) }
      let total = try reduce(.sum, try broadcast(weights, own), axes: axes, keepDims: false)
      return try binary(.div, try reduce(.sum, loss, axes: axes, keepDims: false), total)
    case let other: throw .invalid("reduction is \"\(other)\", expected none, sum or mean")
    }
  }
}

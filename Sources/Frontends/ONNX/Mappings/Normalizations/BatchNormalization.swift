import IR
import Support

extension ONNXMapping {
  static let normalizations: [ONNXMapping] = [
    batchNormalization, layerNormalization, rmsNormalization, simplifiedLayerNormalization, skipLayerNormalization,
    instanceNormalization, groupNormalization,
    meanVarianceNormalization, lpNormalization, localResponse,
  ]

  /// In inference a factor and an addend a channel, which constants fold into; in training with the statistics of the
  /// batch, which move those that are kept. At first training was what more than one output meant, and statistics could
  /// be those of each element.
  static let batchNormalization = ONNXMapping(
    ["BatchNormalization"], 7...newest, inputs: 5...5,
    attributes: ["epsilon", "momentum", "spatial", "training_mode"]
  ) { c throws(Diagnostic) in
    let isTraining = c.version < 14 ? c.hasOutput(1) : try c.flag("training_mode", default: false)
    let isSpatial = try c.flag("spatial", default: true)
    let (x, mean, variance) = (try c.input(0), try c.input(3), try c.input(4))
    guard isTraining else {
      return [try c.batchNormalized(x, mean: mean, variance: variance, isSpatial: isSpatial)]
    }
    let rank = try c.rank(x)
    let image = isSpatial ? try c.channelsLast(x) : x
    let axes = isSpatial ? Array(0..<rank - 1) : [0]
    let own = try c.cast(image, to: try c.element(mean))
    let batchMean = try c.reduce(.mean, own, axes: axes, keepDims: false)
    let centered = try c.binary(.sub, own, batchMean)
    let batchVariance = try c.reduce(.mean, try c.binary(.mul, centered, centered), axes: axes, keepDims: false)
    let momentum = try c.float("momentum", default: 0.9)
    func moved(_ kept: ValueID, _ new: ValueID) throws(Diagnostic) -> ValueID {
      let old = try c.binary(.mul, kept, try c.number(momentum, like: kept))
      return try c.binary(.add, old, try c.binary(.mul, new, try c.number(1 - momentum, like: kept)))
    }
    let result = try c.batchNormalized(x, mean: batchMean, variance: batchVariance, isSpatial: isSpatial)
    return [result, try moved(mean, batchMean), try moved(variance, batchVariance), batchMean, batchVariance]
  }
}

extension ONNXNodeContext {
  fileprivate func batchNormalized(
    _ x: ValueID, mean: ValueID, variance: ValueID, isSpatial: Bool
  ) throws(Diagnostic) -> ValueID {
    let (scale, bias) = (try input(1), try input(2))
    let epsilon = try number(try float("epsilon", default: 1e-5), like: variance)
    let deviation = try unary(.sqrt, try binary(.add, variance, epsilon))
    let factor = try binary(.div, try cast(scale, to: try element(variance)), deviation)
    let addend = try binary(.sub, try cast(bias, to: try element(mean)), try binary(.mul, mean, factor))
    let element = try element(x)
    let image = isSpatial ? try channelsLast(x) : x
    let scaled = try binary(.mul, image, try cast(factor, to: element))
    let result = try binary(.add, scaled, try cast(addend, to: element))
    return isSpatial ? try channelsFirst(result) : result
  }
}

import IR
import Support

extension ONNXMapping {
  static let normalizations: [ONNXMapping] = [
    batchNormalization, layerNormalization, rmsNormalization, simplifiedLayerNormalization, skipLayerNormalization,
    instanceNormalization, groupNormalization,
    meanVarianceNormalization, lpNormalization, localResponse,
  ]

  /// In inference: a factor and an addend a channel, which constants fold into.
  static let batchNormalization = ONNXMapping(
    ["BatchNormalization"], 7...newest, inputs: 5...5,
    attributes: ["epsilon", "momentum", "spatial", "training_mode"]
  ) { c throws(Diagnostic) in
    guard try !c.flag("training_mode", default: false) else { throw .unsupported("training mode is not supported") }
    guard try c.flag("spatial", default: true) else { throw .unsupported("statistics a pixel are not supported") }
    let (x, scale, bias) = (try c.input(0), try c.input(1), try c.input(2))
    let (mean, variance) = (try c.input(3), try c.input(4))
    let epsilon = try c.number(try c.float("epsilon", default: 1e-5), like: variance)
    let deviation = try c.unary(.sqrt, try c.binary(.add, variance, epsilon))
    let factor = try c.binary(.div, try c.cast(scale, to: try c.element(variance)), deviation)
    let addend = try c.binary(.sub, try c.cast(bias, to: try c.element(mean)), try c.binary(.mul, mean, factor))
    let element = try c.element(x)
    let image = try c.channelsLast(x)
    let scaled = try c.binary(.mul, image, try c.cast(factor, to: element))
    return [try c.channelsFirst(try c.binary(.add, scaled, try c.cast(addend, to: element)))]
  }
}

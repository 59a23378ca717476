import IR
import Support

extension ONNXMapping {
  /// Sums of cosines over one turn: the weights of the constant and of each harmonic.
  private static let windowWeights: [String: [Double]] = [
    "HannWindow": [0.5, -0.5], "HammingWindow": [25.0 / 46, 25.0 / 46 - 1], "BlackmanWindow": [0.42, -0.5, 0.08],
  ]

  /// A symmetric window ends where a periodic one would begin again.
  static let cosineWindow = ONNXMapping(
    ["HannWindow", "HammingWindow", "BlackmanWindow"], 17...newest, inputs: 1...1,
    attributes: ["output_datatype", "periodic"]
  ) { c throws(Diagnostic) in
    let weights = windowWeights[c.node.operatorType] ?? []
    let size = try c.extent(of: try c.input(0), "size")
    let period = try c.flag("periodic", default: true) ? size : size - 1
    let turn = try c.binary(
      .div, try c.cast(try c.iota(size), to: .f64), try c.cast(try c.dimension(period), to: .f64))
    var sum = try c.scalar(weights.first ?? 0, .f64)
    for (harmonic, weight) in weights.enumerated().dropFirst() {
      let angle = try c.binary(.mul, turn, try c.scalar(2 * Double.pi * Double(harmonic), .f64))
      sum = try c.binary(.add, sum, try c.binary(.mul, try c.unary(.cos, angle), try c.scalar(weight, .f64)))
    }
    return [try c.cast(sum, to: try c.elementType("output_datatype") ?? .f32)]
  }
}

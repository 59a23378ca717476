import Glibc
import IR
import Support

extension ONNXMapping {
  /// Which share of each bin of a spectrum belongs to each of some bands, which overlap by half and are as wide as ears
  /// have them: triangles over the bins. Computed in f64, for a bin lies on this or that side of an edge.
  static let melWeights = ONNXMapping(
    ["MelWeightMatrix"], 17...newest, inputs: 5...5, attributes: ["output_datatype"]
  ) { c throws(Diagnostic) in
    func number(_ input: Int) throws(Diagnostic) -> ValueID {
      try c.reshape(try c.cast(try c.input(input), to: .f64), [])
    }
    let bands = try c.extent(of: try c.input(0), "bands")
    let length = try c.reshape(try c.cast(try c.input(1), to: .i64), [])
    let bins = try c.extent(
      of: try c.binary(.add, try c.binary(.div, length, try c.scalar(2)), try c.scalar(1)), "bins")
    func f64(_ value: Double) throws(Diagnostic) -> ValueID { try c.scalar(value, .f64) }
    // Steps are even on a scale of 2595 log10(1 + f / 700).
    func mel(_ frequency: ValueID) throws(Diagnostic) -> ValueID {
      let ratio = try c.binary(.add, try f64(1), try c.binary(.div, frequency, try f64(700)))
      return try c.binary(.mul, try c.unary(.log, ratio), try f64(2595 / log(10)))
    }
    let (low, high) = (try mel(try number(3)), try mel(try number(4)))
    let step = try c.binary(
      .div, try c.binary(.sub, high, low), try c.cast(try c.dimension(bands + 2), to: .f64))
    let edges = try c.binary(
      .add, try c.binary(.mul, try c.cast(try c.iota(bands + 2), to: .f64), step), low)
    let power = try c.unary(.exp, try c.binary(.mul, edges, try f64(log(10) / 2595)))
    let frequency = try c.binary(.mul, try f64(700), try c.binary(.sub, power, try f64(1)))
    let scaled = try c.binary(.mul, try c.binary(.add, try number(1), try f64(1)), frequency)
    let places = try c.unary(.floor, try c.binary(.div, scaled, try number(2)))
    func edge(_ start: Int) throws(Diagnostic) -> ValueID {
      try c.slice(places, axis: 0, start: Dim(start), size: bands)
    }
    let (lower, center, upper) = (try edge(0), try edge(1), try edge(2))
    let bin = try c.reshape(try c.cast(try c.iota(bins), to: .f64), [bins, 1])
    func share(_ part: ValueID, _ whole: ValueID) throws(Diagnostic) -> ValueID {
      try c.binary(.div, part, try c.binary(.maximum, whole, try f64(1)))
    }
    let rising = try c.binary(.sub, center, lower)
    let isRising = try c.binary(
      .and, try c.compare(.greaterEqual, bin, lower), try c.compare(.lessEqual, bin, center))
    let rise = try c.select(
      try c.compare(.equal, rising, try f64(0)), try f64(1), try share(try c.binary(.sub, bin, lower), rising))
    let isFalling = try c.binary(
      .and, try c.compare(.greaterEqual, bin, center), try c.compare(.less, bin, upper))
    let fall = try share(try c.binary(.sub, upper, bin), try c.binary(.sub, upper, center))
    let weights = try c.select(isFalling, fall, try c.select(isRising, rise, try f64(0)))
    return [try c.cast(weights, to: try c.elementType("output_datatype") ?? .f32)]
  }
}

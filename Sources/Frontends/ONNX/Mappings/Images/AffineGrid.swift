import IR
import Support

extension ONNXMapping {
  /// The places that an affine map gives a regular grid: coordinates of every element, and a 1, times a matrix.
  static let affineGrid = ONNXMapping(["AffineGrid"], 20...newest, inputs: 2...2, attributes: ["align_corners"]) {
    c throws(Diagnostic) in
    let theta = try c.input(0)
    let size = try c.extents(of: try c.input(1), "size")
    guard size.count == 4 || size.count == 5 else { throw .invalid("size has \(size.count) extents, expected 4 or 5") }
    let spatial = Array(size[2...])
    let corners = try c.flag("align_corners", default: false)
    let element = try c.element(theta)
    var columns: [ValueID] = []
    // The last axis comes first.
    for axis in spatial.indices.reversed() {
      let numbers = try c.cast(try c.iota(spatial[axis]), to: .f64)
      let extent = try c.cast(try c.dimension(spatial[axis]), to: .f64)
      let (one, two) = (try c.scalar(1.0, .f64), try c.scalar(2.0, .f64))
      let place: ValueID
      if corners {
        let steps = try c.binary(.maximum, try c.binary(.sub, extent, one), one)
        place = try c.binary(.sub, try c.binary(.div, try c.binary(.mul, numbers, two), steps), one)
      } else {
        let centers = try c.binary(.add, try c.binary(.mul, numbers, two), one)
        place = try c.binary(.sub, try c.binary(.div, centers, extent), one)
      }
      let along = spatial.indices.map { $0 == axis ? spatial[axis] : 1 } + [1]
      columns.append(try c.broadcast(try c.reshape(try c.cast(place, to: element), along), spatial + [1]))
    }
    columns.append(try c.broadcast(try c.scalar(1.0, element), spatial + [1]))
    let points = try c.reshape(
      try c.concat(columns, axis: spatial.count), [spatial.reduce(Dim(1), *), Dim(columns.count)])
    let places = try c.add(MatMul(mnemonic: "matmul"), points, try c.transpose(theta, [0, 2, 1]))
    return [try c.reshape(places, [size[0]] + spatial + [Dim(spatial.count)])]
  }
}

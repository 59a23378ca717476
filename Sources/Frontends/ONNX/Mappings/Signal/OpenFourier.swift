import IR
import Support

extension FourierTransform {
  /// The transform of a length that only the run knows: one product with a matrix that the run makes.
  func openTransform(_ x: ValueID, n: Dim, bins: Dim) throws(Diagnostic) -> ValueID {
    let c = context
    let shape = try c.shape(x)
    guard let parts = shape[2].constant, parts == 1 || parts == 2 else {
      throw .invalid("a signal is \(try c.type(x)), expected one or two numbers an element")
    }
    // The angle of j k, reduced in integers, so that it is exact.
    let rows = try c.reshape(try c.iota(n), [n, 1])
    let turns = try c.binary(.mod, try c.binary(.mul, rows, try c.iota(bins)), try c.dimension(n))
    let length = try c.cast(try c.dimension(n), to: .f64)
    let unit = try c.binary(.div, try c.scalar(2 * Double.pi, .f64), length)
    let angle = try c.binary(.mul, try c.cast(turns, to: .f64), unit)
    var (cosine, sine) = (try c.unary(.cos, angle), try c.unary(.sin, angle))
    if !isInverse { sine = try c.unary(.neg, sine) }
    if isInverse { (cosine, sine) = (try c.binary(.div, cosine, length), try c.binary(.div, sine, length)) }
    (cosine, sine) = (try c.cast(cosine, to: element), try c.cast(sine, to: element))
    func pair(_ a: ValueID, _ b: ValueID) throws(Diagnostic) -> ValueID {
      let columns = [try c.reshape(a, [n, 1, bins, 1]), try c.reshape(b, [n, 1, bins, 1])]
      return try c.concat(columns, axis: 3)
    }
    var matrix = try pair(cosine, sine)
    if parts == 2 { matrix = try c.concat([matrix, try pair(try c.unary(.neg, sine), cosine)], axis: 1) }
    let flat = try c.reshape(x, [shape[0], n * parts])
    let product = try c.add(MatMul(), flat, try c.reshape(matrix, [n * parts, bins * 2]))
    return try c.reshape(product, [shape[0], bins, 2])
  }
}

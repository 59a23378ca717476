import IR
import Support

extension ONNXMapping {
  static let shapes: [ONNXMapping] = [
    shapeOf, size, constantNode, constantOfShape, range, nonZero, eyeLike, cosineWindow,
  ]

  static let shapeOf = ONNXMapping(["Shape"], 1...newest, inputs: 1...1, attributes: ["end", "start"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let rank = try c.rank(x)
    func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + rank : index, 0), rank) }
    let shape = try c.add(Shape(), x)
    let start = clamped(try c.int("start", default: 0))
    let end = clamped(try c.int("end", default: rank))
    return [try c.slice(shape, starts: [Dim(start)], sizes: [Dim(max(end - start, 0))])]
  }

  static let size = ONNXMapping(["Size"], 1...newest, inputs: 1...1) { c throws(Diagnostic) in
    let x = try c.input(0)
    guard try c.rank(x) > 0 else { return [try c.scalar(1)] }
    return [try c.reduce(.prod, try c.add(Shape(), x), axes: [0], keepDims: false)]
  }

  static let constantOfShape = ONNXMapping(
    ["ConstantOfShape"], 9...newest, inputs: 1...1, attributes: ["value"]
  ) { c throws(Diagnostic) in
    let value = try c.tensorAttribute("value") ?? .scalar(0.0, .f32)
    guard value.count == 1 else { throw .invalid("attribute \"value\" has \(value.count) elements, expected one") }
    return [try c.broadcast(try c.constant(value.reshaped([])), try c.extents(of: try c.input(0), "extent"))]
  }

  static let nonZero = ONNXMapping(["NonZero"], 9...newest, inputs: 1...1) { c throws(Diagnostic) in
    let x = try c.input(0)
    let most = try c.type(x).elementCount.bounds(c.symbols).upperBound
    guard let symbol = c.freshSymbol("nonzero", in: 0...max(most, 0)).symbolName else { throw .bug("no symbol") }
    return [try c.add(NonZero(extent: symbol), x)]
  }

  /// `EyeLike`: ones on a diagonal of a matrix of the input's shape.
  static let eyeLike = ONNXMapping(["EyeLike"], 9...newest, inputs: 1...1, attributes: ["dtype", "k"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    guard try c.rank(x) == 2 else { throw .invalid("the input is \(try c.type(x)), expected a matrix") }
    let diagonal = try c.binary(.add, try c.iota(along: 0, of: x), try c.scalar(try c.int("k", default: 0)))
    let isOne = try c.compare(.equal, try c.iota(along: 1, of: x), diagonal)
    let own = try c.element(x)
    return [try c.cast(isOne, to: try c.elementType("dtype") ?? own)]
  }
}

import IR
import Support

extension ONNXMapping {
  static let shapes: [ONNXMapping] = [shapeOf, size, constantNode, constantOfShape, range, nonZero]

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
}

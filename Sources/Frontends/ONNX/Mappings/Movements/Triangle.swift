import IR
import Support

extension ONNXMapping {
  /// `Trilu`: zeros on one side of a diagonal of the last two axes.
  static let triangle = ONNXMapping(["Trilu"], 14...newest, inputs: 1...2, attributes: ["upper"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    guard shape.count >= 2 else { throw .invalid("x is \(try c.type(x)), expected a matrix") }
    let row = try c.reshape(try c.iota(shape[shape.count - 2]), [shape[shape.count - 2], 1])
    let column = try c.iota(shape[shape.count - 1])
    var diagonal = row
    if let offset = c.optionalInput(1) { diagonal = try c.binary(.add, row, try c.reshape(offset, [])) }
    let upper = try c.flag("upper", default: true)
    let isKept = try c.compare(upper ? .greaterEqual : .lessEqual, column, diagonal)
    let zero = try c.element(x) == .bool ? try c.scalar(0, .bool) : try c.number(0, like: x)
    return [try c.select(isKept, x, zero)]
  }
}

import IR
import Support

extension ONNXMapping {
  static let nonMaxSuppression = ONNXMapping(
    ["NonMaxSuppression"], 10...newest, inputs: 2...5, attributes: ["center_point_box"]
  ) { c throws(Diagnostic) in
    let (boxes, scores) = (try c.input(0), try c.input(1))
    func scalar(_ number: Int, default value: ValueID) throws(Diagnostic) -> ValueID {
      try c.optionalInput(number).map { input throws(Diagnostic) in try c.reshape(input, []) } ?? value
    }
    let limit = try scalar(2, default: try c.scalar(0))
    let overlap = try scalar(3, default: try c.scalar(0.0, .f32))
    let threshold = try c.optionalInput(4).map { input throws(Diagnostic) in try c.reshape(input, []) }
    let most = try c.type(scores).elementCount.bounds(c.symbols).upperBound
    guard let symbol = c.freshSymbol("boxes", in: 0...max(most, 0)).symbolName else { throw .bug("no symbol") }
    let kind = NonMaxSuppression(extent: symbol, center: try c.flag("center_point_box", default: false))
    return [try c.add(kind, [boxes, scores, limit, overlap, threshold])]
  }
}

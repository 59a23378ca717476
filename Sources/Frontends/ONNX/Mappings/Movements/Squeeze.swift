import IR
import Support

extension ONNXMapping {
  static let squeezeByAttribute = ONNXMapping(
    ["Squeeze"], 1...12, inputs: 1...1, attributes: ["axes"]
  ) { c throws(Diagnostic) in
    [try c.squeeze(try c.input(0), try c.ints("axes"))]
  }

  static let squeeze = ONNXMapping(["Squeeze"], 13...newest, inputs: 1...2) { c throws(Diagnostic) in
    let x = try c.input(0)
    guard let axes = c.optionalInput(1) else { return [try c.squeeze(x, nil)] }
    if let known = c.integers(axes) { return [try c.squeeze(x, known)] }
    return [try c.squeezed(x, computed: axes)]
  }

  static let unsqueezeByAttribute = ONNXMapping(
    ["Unsqueeze"], 1...12, inputs: 1...1, attributes: ["axes"]
  ) { c throws(Diagnostic) in
    [try c.unsqueeze(try c.input(0), try c.ints("axes") ?? [])]
  }

  static let unsqueeze = ONNXMapping(["Unsqueeze"], 13...newest, inputs: 2...2) { c throws(Diagnostic) in
    let (x, axes) = (try c.input(0), try c.input(1))
    if let known = c.integers(axes) { return [try c.unsqueeze(x, known)] }
    return [try c.unsqueezed(x, computed: axes)]
  }
}

extension ONNXNodeContext {
  fileprivate func squeeze(_ x: ValueID, _ axes: [Int]?) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    var gone: Set<Int> = []
    if let axes {
      for number in axes {
        let axis = try axis(number, rank: shape.count)
        guard shape[axis].constant == nil || shape[axis].constant == 1 else {
          throw .invalid("axis \(axis) of \(try type(x)) is not 1")
        }
        gone.insert(axis)
      }
    } else {
      gone = Set(shape.indices.filter { shape[$0].constant == 1 })
    }
    return try reshape(x, shape.indices.filter { !gone.contains($0) }.map { shape[$0] })
  }

  fileprivate func unsqueeze(_ x: ValueID, _ axes: [Int]) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    let rank = shape.count + axes.count
    var added: Set<Int> = []
    for number in axes {
      guard added.insert(try axis(number, rank: rank)).inserted else { throw .invalid("axes \(axes) name one twice") }
    }
    var rest = shape[...]
    return try reshape(x, (0..<rank).map { added.contains($0) ? 1 : rest.removeFirst() })
  }
}

import IR
import Support

extension ONNXMapping {
  /// A convolution of each channel over what was and is, never over what comes; the last elements are kept for the next
  /// run, and those of the last one stand in front.
  static let causalConvolution = ONNXMapping(
    ["CausalConvWithState"], 27...newest, inputs: 2...4, attributes: ["activation"]
  ) { c throws(Diagnostic) in
    let (x, w) = (try c.input(0), try c.input(1))
    let (shape, filters) = (try c.shape(x), try c.shape(w))
    guard shape.count == 3, filters.count == 3, let kernel = filters[2].constant, kernel > 0,
      let channels = filters[0].constant
    else { throw .invalid("the input is \(try c.type(x)) and the filters are \(try c.type(w))") }
    let kept = Dim(kernel - 1)
    let past: ValueID
    if let given = c.optionalInput(3) {
      past = given
    } else {
      past = try c.broadcast(try c.number(0, like: x), [shape[0], shape[1], kept])
    }
    let all = kernel == 1 ? x : try c.concat([past, x], axis: 2)
    let kind = Conv(strides: [1], padding: [0, 0], dilations: [1], groups: channels)
    let summed = try c.add(kind, try c.channelsLast(all), try c.channelsLast(w), c.optionalInput(2))
    var result = try c.channelsFirst(summed)
    switch try c.string("activation", default: "none") {
    case "none", "": break
    case "silu", "swish": result = try c.binary(.mul, result, try c.unary(.sigmoid, result))
    case let other: throw .invalid("activation is \"\(other)\", expected none, silu or swish")
    }
    let state = try c.slice(all, axis: 2, start: try c.shape(all)[2] - kept, size: kept)
    return [result, state]
  }
}

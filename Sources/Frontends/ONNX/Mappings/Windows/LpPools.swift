import IR
import Support

extension ONNXMapping {
  /// The p-norm of the elements under a window.
  static let lpPool = ONNXMapping(
    ["LpPool"], 2...newest, inputs: 1...1, attributes: ONNXWindow.attributes + ["ceil_mode", "p"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let spatial = Array(try c.image(x).shape.dropFirst(2))
    let window = try ONNXWindow(c, spatial: spatial)
    let isRoundedUp = try c.flag("ceil_mode", default: false)
    var padding = window.padding
    if isRoundedUp {
      // Zeros behind the end add nothing to a sum, so windows that reach beyond it may as well fit.
      for (axis, stride) in window.strides.enumerated() { padding[spatial.count + axis] += stride - 1 }
    }
    let powers = try c.channelsLast(try c.power(x, of: try c.normOrder()))
    // With padding counted every mean is over the whole window.
    var mean = try c.add(
      Pool(
        .average, window: window.kernel, strides: window.strides, padding: padding, dilations: window.dilations,
        countPadding: true), powers)
    if isRoundedUp {
      // A window that starts behind the input does not count.
      let geometry = try WindowGeometry(
        "LpPool", window: window.kernel, strides: window.strides, padding: window.padding, dilations: window.dilations)
      for (axis, size) in try geometry.extents(spatial, ceil: true).enumerated() {
        mean = try c.slice(mean, axis: 1 + axis, start: 0, size: size)
      }
    }
    let count = window.kernel.reduce(1.0) { $0 * Double($1) }
    let sum = try c.binary(.mul, mean, try c.number(count, like: mean))
    return [try c.root(try c.channelsFirst(sum), of: try c.normOrder())]
  }

  static let globalLpPool = ONNXMapping(["GlobalLpPool"], 2...newest, inputs: 1...1, attributes: ["p"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let rank = try c.rank(x)
    guard rank >= 3 else { throw .invalid("the image is \(try c.type(x)), without spatial axes") }
    let powers = try c.power(x, of: try c.normOrder())
    return [try c.root(try c.reduce(.sum, powers, axes: Array(2..<rank)), of: try c.normOrder())]
  }
}

extension ONNXNodeContext {
  fileprivate func normOrder() throws(Diagnostic) -> Int {
    let order = try int("p", default: 2)
    guard order > 0 else { throw .invalid("p is \(order)") }
    return order
  }

  fileprivate func power(_ x: ValueID, of order: Int) throws(Diagnostic) -> ValueID {
    if order == 2 { return try binary(.mul, x, x) }
    let size = try unary(.abs, x)
    return order == 1 ? size : try binary(.pow, size, try number(Double(order), like: x))
  }

  fileprivate func root(_ x: ValueID, of order: Int) throws(Diagnostic) -> ValueID {
    if order <= 2 { return order == 1 ? x : try unary(.sqrt, x) }
    return try binary(.pow, x, try number(1 / Double(order), like: x))
  }
}

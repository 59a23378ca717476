import IR
import Support

extension ONNXMapping {
  static let windows: [ONNXMapping] = [maxPool, averagePool, globalPool, lpPool, globalLpPool]

  static let maxPool = ONNXMapping(
    ["MaxPool"], 1...newest, inputs: 1...1, attributes: ONNXWindow.attributes + ["ceil_mode", "storage_order"]
  ) { c throws(Diagnostic) in
    let pooled = try c.pool(.max)
    return c.hasOutput(1) ? [pooled, try c.greatestPlaces()] : [pooled]
  }

  static let averagePool = ONNXMapping(
    ["AveragePool"], 1...newest, inputs: 1...1, attributes: ONNXWindow.attributes + ["ceil_mode", "count_include_pad"]
  ) { c throws(Diagnostic) in
    [try c.pool(.average)]
  }

  static let globalPool = ONNXMapping(["GlobalAveragePool", "GlobalMaxPool"], 1...newest, inputs: 1...1) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let rank = try c.rank(x)
    guard rank >= 3 else { throw .invalid("the image is \(try c.type(x)), without spatial axes") }
    let function: Reduce.Function = c.node.operatorType == "GlobalMaxPool" ? .max : .mean
    let pooled = try c.reduce(function, try c.channelsLast(x), axes: Array(1..<rank - 1))
    return [try c.channelsFirst(pooled)]
  }
}

extension ONNXNodeContext {
  fileprivate func pool(_ function: Pool.Function) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    return try channelsFirst(try add(try poolKind(function), try channelsLast(x)))
  }

  /// The second result of `MaxPool`: row-major numbers in the whole image, or column-major ones among its last axes.
  fileprivate func greatestPlaces() throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    var place = try channelsFirst(try add(MaxPoolIndex(try poolKind(.max)), try channelsLast(x)))
    if try int("storage_order", default: 0) == 1 {
      guard shape.count == 4 else { throw .unsupported("storage_order is only supported for two spatial axes") }
      let width = try dimension(shape[3])
      let column = try binary(.mod, place, width)
      let row = try binary(.div, place, width)
      place = try binary(.add, row, try binary(.mul, column, try dimension(shape[2])))
    }
    let planes = shape[0] * shape[1]
    let ones = Array(repeating: Dim(1), count: shape.count - 2)
    let plane = try reshape(try iota(planes), [shape[0], shape[1]] + ones)
    let size = shape[2...].reduce(Dim(1), *)
    return try binary(.add, place, try binary(.mul, plane, try dimension(size)))
  }

  private func poolKind(_ function: Pool.Function) throws(Diagnostic) -> Pool {
    let x = try input(0)
    let window = try ONNXWindow(self, spatial: Array(try image(x).shape.dropFirst(2)))
    return Pool(
      function, window: window.kernel, strides: window.strides, padding: window.padding, dilations: window.dilations,
      countPadding: try flag("count_include_pad", default: false), ceilMode: try flag("ceil_mode", default: false))
  }
}

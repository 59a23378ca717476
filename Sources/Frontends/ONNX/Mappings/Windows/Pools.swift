import IR
import Support

extension ONNXMapping {
  static let windows: [ONNXMapping] = [maxPool, averagePool, globalPool]

  static let maxPool = ONNXMapping(
    ["MaxPool"], 1...newest, inputs: 1...1, attributes: ONNXWindow.attributes + ["ceil_mode", "storage_order"]
  ) { c throws(Diagnostic) in
    [try c.pool(.max)]
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
    let window = try ONNXWindow(self, spatial: Array(try image(x).shape.dropFirst(2)))
    let kind = Pool(
      function, window: window.kernel, strides: window.strides, padding: window.padding, dilations: window.dilations,
      countPadding: try flag("count_include_pad", default: false), ceilMode: try flag("ceil_mode", default: false))
    return try channelsFirst(try add(kind, try channelsLast(x)))
  }
}

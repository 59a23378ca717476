import IR
import Support

extension ONNXMapping {
  static let convolution = ONNXMapping(
    ["Conv"], 1...newest, inputs: 2...3, attributes: ONNXWindow.attributes + ["group"]
  ) { c throws(Diagnostic) in
    let (x, w) = (try c.input(0), try c.input(1))
    let (kind, _) = try c.convolution(x, w)
    let result = try c.add(kind, try c.channelsLast(x), try c.channelsLast(w), c.optionalInput(2))
    return [try c.channelsFirst(result)]
  }
}

extension ONNXNodeContext {
  /// The op for an image and filters with channels first, and the window over them.
  func convolution(_ x: ValueID, _ w: ValueID) throws(Diagnostic) -> (Conv, ONNXWindow) {
    let (image, filters) = (try image(x), try type(w))
    guard filters.rank == image.rank else { throw .invalid("filters \(filters) do not fit the image \(image)") }
    var kernel: [Int] = []
    for dim in filters.shape.dropFirst(2) {
      guard let extent = dim.constant else { throw .unsupported("the filters are \(filters), with an open extent") }
      kernel.append(extent)
    }
    let window = try ONNXWindow(self, spatial: Array(image.shape.dropFirst(2)), kernel: kernel)
    let kind = Conv(
      strides: window.strides, padding: window.padding, dilations: window.dilations,
      groups: try int("group", default: 1))
    return (kind, window)
  }
}

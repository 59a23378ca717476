import IR
import Support

extension ONNXMapping {
  static let deformableConvolution = ONNXMapping(
    ["DeformConv"], 19...newest, inputs: 3...5,
    attributes: ["dilations", "group", "kernel_shape", "offset_group", "pads", "strides"]
  ) { c throws(Diagnostic) in
    let (x, w) = (try c.input(0), try c.input(1))
    let (conv, _) = try c.convolution(x, w)
    guard try c.rank(x) == 4 else {
      throw .unsupported("the image is \(try c.type(x)); two spatial axes are supported")
    }
    let kind = DeformConv(
      strides: conv.strides, padding: conv.padding, dilations: conv.dilations, groups: conv.groups,
      offsetGroups: try c.int("offset_group", default: 1))
    func last(_ number: Int) throws(Diagnostic) -> ValueID? {
      guard let value = c.optionalInput(number) else { return nil }
      return try c.channelsLast(value)
    }
    let result = try c.add(
      kind, try c.channelsLast(x), try c.channelsLast(w), try c.channelsLast(try c.input(2)), try last(4),
      c.optionalInput(3))
    return [try c.channelsFirst(result)]
  }
}

import IR
import Support

extension ONNXMapping {
  static let convTranspose = ONNXMapping(
    ["ConvTranspose"], 1...newest, inputs: 2...3,
    attributes: ONNXWindow.attributes + ["group", "output_padding", "output_shape"]
  ) { c throws(Diagnostic) in
    let (x, w) = (try c.input(0), try c.input(1))
    let kind = try c.transposedConvolution(x, w)
    let result = try c.add(kind, try c.channelsLast(x), try c.channelsLast(w), c.optionalInput(2))
    return [try c.channelsFirst(result)]
  }
}

extension ONNXNodeContext {
  /// The op for an image and filters with channels first; padding that follows from the wanted shape is worked out.
  fileprivate func transposedConvolution(_ x: ValueID, _ w: ValueID) throws(Diagnostic) -> ConvTranspose {
    let (image, filters) = (try image(x), try type(w))
    guard filters.rank == image.rank else { throw .invalid("filters \(filters) do not fit the image \(image)") }
    let spatial = Array(image.shape.dropFirst(2))
    var kernel: [Int] = []
    for dim in filters.shape.dropFirst(2) {
      guard let extent = dim.constant else { throw .unsupported("the filters are \(filters), with an open extent") }
      kernel.append(extent)
    }
    func list(_ name: String, _ value: Int) throws(Diagnostic) -> [Int] {
      guard let values = try ints(name), !values.isEmpty else { return Array(repeating: value, count: kernel.count) }
      guard values.count == kernel.count, values.allSatisfy({ (value...(1 << 28)).contains($0) }) else {
        throw .invalid("\(name) is \(values), expected \(kernel.count) numbers from \(value) on")
      }
      return values
    }
    let (strides, dilations) = (try list("strides", 1), try list("dilations", 1))
    var extra = try list("output_padding", 0)
    guard kernel.allSatisfy({ (1...(1 << 28)).contains($0) }) else { throw .invalid("the filters are \(filters)") }
    var (before, after) = (kernel.map { _ in 0 }, kernel.map { _ in 0 })
    let mode = try string("auto_pad", default: "NOTSET")
    guard ["", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].contains(mode) else {
      throw .invalid("auto_pad is \"\(mode)\"")
    }
    var wanted = (try ints("output_shape") ?? []).map { Dim($0) }
    // The batch and the channels may stand in front.
    if wanted.count == kernel.count + 2 { wanted.removeFirst(2) }
    if wanted.isEmpty, mode.hasPrefix("SAME") { wanted = spatial.indices.map { spatial[$0] * strides[$0] } }
    if wanted.isEmpty {
      if let pads = try ints("pads"), !pads.isEmpty, mode != "VALID" {
        guard pads.count == 2 * kernel.count, pads.allSatisfy({ (0...(1 << 28)).contains($0) }) else {
          throw .invalid("pads is \(pads), expected \(2 * kernel.count) numbers that are not negative")
        }
        (before, after) = (Array(pads[..<kernel.count]), Array(pads[kernel.count...]))
      }
    } else {
      guard wanted.count == kernel.count else {
        throw .invalid("output_shape has \(wanted.count) numbers, expected \(kernel.count)")
      }
      for axis in kernel.indices {
        let reach = dilations[axis] * (kernel[axis] - 1) + 1
        let total = (spatial[axis] - 1) * strides[axis] + (extra[axis] + reach) - wanted[axis]
        guard let total = total.constant, total.magnitude <= 1 << 28 else {
          throw .unsupported(
            "output_shape over an axis of \(spatial[axis]) elements is not supported", hint: "give the input's shape")
        }
        // What is missing is added at the end.
        extra[axis] += max(-total, 0)
        let padding = max(total, 0)
        (before[axis], after[axis]) =
          mode == "SAME_UPPER" ? (padding / 2, padding - padding / 2) : (padding - padding / 2, padding / 2)
      }
    }
    return ConvTranspose(
      strides: strides, padding: before + after, dilations: dilations, extra: extra,
      groups: try int("group", default: 1))
  }
}

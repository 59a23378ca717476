import IR
import Support

/// The window attributes that convolutions and pools share, with automatic padding worked out.
struct ONNXWindow {
  static let attributes = ["auto_pad", "dilations", "kernel_shape", "pads", "strides"]

  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  /// The starts of all axes, then the ends.
  let padding: [Int]

  /// `spatial` are the extents of the input, `kernel` those of the window where the filters show them.
  init(_ c: ONNXNodeContext, spatial: [Dim], kernel known: [Int]? = nil) throws(Diagnostic) {
    let axes = spatial.count
    let given = try c.ints("kernel_shape")
    guard let kernel = known ?? given else { throw .invalid("kernel_shape is missing") }
    if let known, let given, !given.isEmpty, given != known {
      throw .invalid("kernel_shape is \(given), but the filters have \(known)")
    }
    self.kernel = kernel
    strides = try ONNXWindow.list(c, "strides", axes)
    dilations = try ONNXWindow.list(c, "dilations", axes)
    guard kernel.count == axes else { throw .invalid("kernel_shape \(kernel) does not fit \(axes) spatial axes") }
    for (name, values) in [("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)]
    where !values.allSatisfy({ (1...(1 << 28)).contains($0) }) {
      throw .invalid("\(name) is \(values), expected positive numbers")
    }
    let mode = try c.string("auto_pad", default: "NOTSET")
    switch mode {
    case "", "NOTSET":
      let pads = try c.ints("pads") ?? []
      padding = pads.isEmpty ? Array(repeating: 0, count: 2 * axes) : pads
      guard padding.count == 2 * axes else { throw .invalid("pads is \(pads), expected \(2 * axes) numbers") }
      guard padding.allSatisfy({ (0...(1 << 28)).contains($0) }) else {
        throw .invalid("pads is \(pads), expected numbers that are not negative")
      }
    case "VALID": padding = Array(repeating: 0, count: 2 * axes)
    case "SAME_UPPER", "SAME_LOWER":
      var (small, large): ([Int], [Int]) = ([], [])
      for axis in 0..<axes {
        let total = try ONNXWindow.same(
          spatial[axis], reach: (kernel[axis] - 1) * dilations[axis] + 1, stride: strides[axis])
        small.append(total / 2)
        large.append(total - total / 2)
      }
      padding = mode == "SAME_UPPER" ? small + large : large + small
    default: throw .invalid("auto_pad is \"\(mode)\"")
    }
  }

  private static func list(_ c: ONNXNodeContext, _ name: String, _ axes: Int) throws(Diagnostic) -> [Int] {
    guard let values = try c.ints(name), !values.isEmpty else { return Array(repeating: 1, count: axes) }
    guard values.count == axes else { throw .invalid("\(name) is \(values), expected \(axes) numbers") }
    return values
  }

  /// What to add to both ends together so that the result has `ceil(extent / stride)` elements.
  private static func same(_ extent: Dim, reach: Int, stride: Int) throws(Diagnostic) -> Int {
    guard let value = extent.constant else {
      guard stride == 1 else {
        throw .unsupported(
          "auto_pad with stride \(stride) over an axis of \(extent) elements is not supported",
          hint: "give the shape of the input")
      }
      return reach - 1
    }
    let count = (value + stride - 1) / stride
    return max((count - 1) * stride + reach - value, 0)
  }
}

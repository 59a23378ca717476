import IR
import Support

extension ONNXMapping {
  static let gridSample = ONNXMapping(
    ["GridSample"], 16...newest, inputs: 2...2, attributes: ["align_corners", "mode", "padding_mode"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    _ = try c.image(x)
    let name = try c.string("mode", default: c.version < 20 ? "bilinear" : "linear")
    let modes: [String: GridSample.Mode] = [
      "bilinear": .linear, "linear": .linear, "bicubic": .cubic, "cubic": .cubic, "nearest": .nearest,
    ]
    guard let mode = modes[name] else { throw .invalid("mode is \"\(name)\"") }
    let text = try c.string("padding_mode", default: "zeros")
    guard let padding = GridSample.Padding(rawValue: text) else { throw .invalid("padding_mode is \"\(text)\"") }
    let kind = GridSample(mode, padding: padding, alignCorners: try c.flag("align_corners", default: false))
    return [try c.channelsFirst(try c.add(kind, try c.channelsLast(x), try c.input(1)))]
  }

  /// Until version 10 of the operator corners were not centers of elements.
  static let roiAlign = ONNXMapping(
    ["RoiAlign"], 10...newest, inputs: 3...3,
    attributes: [
      "coordinate_transformation_mode", "mode", "output_height", "output_width", "sampling_ratio", "spatial_scale",
    ]
  ) { c throws(Diagnostic) in
    let coordinates = try c.string(
      "coordinate_transformation_mode", default: c.version < 16 ? "output_half_pixel" : "half_pixel")
    guard coordinates == "half_pixel" || coordinates == "output_half_pixel" else {
      throw .invalid("coordinate_transformation_mode is \"\(coordinates)\"")
    }
    let mode = try c.string("mode", default: "avg")
    guard mode == "avg" || mode == "max" else { throw .invalid("mode is \"\(mode)\"") }
    let kind = RegionAlign(
      size: [try c.int("output_height", default: 1), try c.int("output_width", default: 1)],
      samples: try c.int("sampling_ratio", default: 0), scale: try c.float("spatial_scale", default: 1),
      max: mode == "max", halfPixel: coordinates == "half_pixel")
    let x = try c.channelsLast(try c.input(0))
    return [try c.channelsFirst(try c.add(kind, x, try c.input(1), try c.input(2)))]
  }
}

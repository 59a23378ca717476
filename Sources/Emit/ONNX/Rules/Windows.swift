import Formats
import IR
import Support

extension Pool: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let rank = try c.type(0).rank
    let image = try c.channelsFirst(try c.input(0), rank: rank)
    var types = ONNXEmissionContext.arithmeticTypes
    // The greatest of narrow integers is had as it is, or as a float that holds it.
    for type: ElementType in [.i8, .u8] { types[type] = nil }
    for type: ElementType in [.i16, .u16] { types[type] = .f32 }
    for type: ElementType in [.i32, .u32] { types[type] = .f64 }
    let result = try c.widened(try c.element(0), [image], in: types) { inputs, _ throws(Diagnostic) in
      c.node(function == .max ? "MaxPool" : "AveragePool", inputs, try attributes(c))
    }
    return [try c.channelsLast(result, rank: rank)]
  }

  fileprivate func attributes(_ c: ONNXEmissionContext) throws(Diagnostic) -> [ONNXAttribute] {
    var attributes = c.attributes(of: try geometry)
    if ceilMode { attributes.append(ONNXAttribute("ceil_mode", int: 1)) }
    if function == .average, countPadding { attributes.append(ONNXAttribute("count_include_pad", int: 1)) }
    return attributes
  }
}

extension MaxPoolIndex: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    let element = try c.element(type)
    let image = try c.channelsFirst(try c.input(0), rank: type.rank)
    let wide: ElementType = element == .f64 || element == .i8 || element == .u8 ? element : .f32
    let places = c.nodes("MaxPool", [c.cast(image, element, to: wide)], try pool.attributes(c), outputs: 2)[1]
    // The format counts over all images and channels.
    let count = type.shape[1..<type.rank - 1].reduce(Dim(1), *)
    return [try c.channelsLast(c.node("Mod", [places, try c.dims([count])]), rank: type.rank)]
  }
}

extension Resize: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.type(0)
    let rank = type.rank
    let touched = axes(type.shape, isComputed: c.has(1) || c.has(2)).map(\.axis)
    if touched.isEmpty { return [try c.input(0)] }
    // Runtimes stretch the last axes.
    let isChannelsLast = rank >= 3 && !c.has(1) && !c.has(2) && touched.allSatisfy { (1..<rank - 1).contains($0) }
    let order = isChannelsLast ? [0, rank - 1] + Array(1..<rank - 1) : Array(0..<rank)
    let x = try c.transposed(try c.input(0), order)
    var inputs = [x, try regionInput(order, c)]
    if let scales = try c.optionalInput(1) {
      inputs.append(c.cast(scales, try c.element(1), to: .f32))
    } else if self.scales.contains(where: { $0 > 0 }) {
      inputs.append(try scaleInput(type.shape, order, c))
    } else {
      inputs += ["", try c.dims(order.map { shape[$0] })]
    }
    let element = try c.element(type)
    var types: [ElementType: ElementType] = [.bf16: .f32, .i16: .i32, .u16: .i32]
    // The same bits, which nearest only moves.
    if rule.mode == .nearest { types[.u32] = .i32 }
    inputs[0] = c.cast(x, element, to: types[element] ?? element)
    let result = c.cast(c.node("Resize", inputs, attributes), types[element] ?? element, to: element)
    return [isChannelsLast ? try c.channelsLast(result, rank: rank) : result]
  }

  private func regionInput(_ order: [Int], _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    if let region = try c.optionalInput(2) { return c.cast(region, try c.element(2), to: .f32) }
    guard rule.coordinates == .cropAndResize, !region.isEmpty else { return "" }
    let places = order + order.map { $0 + order.count }
    return try c.constant(Tensor(.f32, [places.count], doubles: places.map { region[$0] }))
  }

  /// The scales of all axes; where none is given it is the ratio of the extents.
  private func scaleInput(_ from: [Dim], _ order: [Int], _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    var values: [Double] = []
    for axis in order {
      if scales[axis] > 0 {
        values.append(scales[axis])
      } else if from[axis] == shape[axis] {
        values.append(1)
      } else if let source = from[axis].constant, let target = shape[axis].constant, source > 0 {
        values.append(Double(target) / Double(source))
      } else {
        throw .unsupported("resize: the scale of axis \(axis) is not constant, beside one that is")
      }
    }
    return try c.constant(Tensor(.f32, [values.count], doubles: values))
  }

  private var attributes: [ONNXAttribute] {
    var result = [
      ONNXAttribute("mode", string: rule.mode.rawValue),
      ONNXAttribute("coordinate_transformation_mode", string: rule.coordinates.rawValue),
    ]
    if rule.mode == .nearest { result.append(ONNXAttribute("nearest_mode", string: rule.rounding.rawValue)) }
    if rule.mode == .cubic { result.append(ONNXAttribute("cubic_coeff_a", float: Float(rule.cubicCoefficient))) }
    if rule.excludeOutside { result.append(ONNXAttribute("exclude_outside", int: 1)) }
    if rule.antialias { result.append(ONNXAttribute("antialias", int: 1)) }
    if extrapolation != 0 { result.append(ONNXAttribute("extrapolation_value", float: Float(extrapolation))) }
    return result
  }
}

extension GridSample: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let rank = try c.type(0).rank
    let attributes = [
      ONNXAttribute("mode", string: mode.rawValue), ONNXAttribute("padding_mode", string: padding.rawValue),
      ONNXAttribute("align_corners", int: alignCorners ? 1 : 0),
    ]
    let image = try c.channelsFirst(try c.input(0), rank: rank)
    return [try c.channelsLast(c.node("GridSample", [image, try c.input(1)], attributes), rank: rank)]
  }
}

extension RegionAlign: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let attributes = [
      ONNXAttribute("mode", string: max ? "max" : "avg"), ONNXAttribute("output_height", int: size[0]),
      ONNXAttribute("output_width", int: size[1]), ONNXAttribute("sampling_ratio", int: samples),
      ONNXAttribute("spatial_scale", float: Float(scale)),
      ONNXAttribute("coordinate_transformation_mode", string: halfPixel ? "half_pixel" : "output_half_pixel"),
    ]
    let image = try c.channelsFirst(try c.input(0), rank: 4)
    let images = c.cast(try c.input(2), try c.element(2), to: .i64)
    return [try c.channelsLast(c.node("RoiAlign", [image, try c.input(1), images], attributes), rank: 4)]
  }
}

extension Fold: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let window = try geometry
    var attributes = c.attributes(of: window)
    attributes.removeFirst()
    return [c.node("Col2Im", [try c.input(0), try c.dims(spatial), try c.integers(window.window)], attributes)]
  }
}

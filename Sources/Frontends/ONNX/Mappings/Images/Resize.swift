import IR
import Support

extension ONNXMapping {
  static let upsampleByAttribute = ONNXMapping(["Upsample"], 7...8, inputs: 1...1, attributes: ["mode", "scales"]) {
    c throws(Diagnostic) in
    guard let scales = try c.floats("scales") else { throw .invalid("attribute \"scales\" is missing") }
    return [try c.upsampled(try c.constant(Tensor(.f32, [scales.count], doubles: scales.map { Double($0) })))]
  }

  static let upsample = ONNXMapping(["Upsample"], 9...9, inputs: 2...2, attributes: ["mode"]) { c throws(Diagnostic) in
    [try c.upsampled(try c.input(1))]
  }

  static let resizeByScales = ONNXMapping(["Resize"], 10...10, inputs: 2...2, attributes: ["mode"]) {
    c throws(Diagnostic) in
    [try c.upsampled(try c.input(1))]
  }

  static let resize = ONNXMapping(
    ["Resize"], 11...newest, inputs: 1...4,
    attributes: [
      "antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value",
      "keep_aspect_ratio_policy", "mode", "nearest_mode",
    ]
  ) { c throws(Diagnostic) in
    var rule = ResampleRule()
    rule.mode = try c.word("mode", default: "nearest")
    rule.coordinates = try c.word("coordinate_transformation_mode", default: "half_pixel")
    rule.rounding = try c.word("nearest_mode", default: "round_prefer_floor")
    rule.cubicCoefficient = try c.float("cubic_coeff_a", default: -0.75)
    rule.excludeOutside = try c.flag("exclude_outside", default: false)
    rule.antialias = try c.flag("antialias", default: false)
    var kind = Resize(shape: [], rule: rule, extrapolation: try c.float("extrapolation_value", default: 0))
    let rank = try c.rank(try c.input(0))
    var axes: [Int] = []
    for axis in try c.ints("axes") ?? Array(0..<rank) { axes.append(try c.axis(axis, rank: rank)) }
    guard Set(axes).count == axes.count else { throw .invalid("axes \(axes) name one twice") }
    let region = try c.resizeRegion(&kind, axes)
    if let scales = try c.given(2) { return [try c.resized(kind, axes, scales: scales, region)] }
    guard let sizes = try c.given(3) else { throw .invalid("neither scales nor sizes are given") }
    return [try c.resized(kind, axes, sizes: sizes, region)]
  }
}

extension ONNXNodeContext {
  /// What `Upsample` was, and `Resize` at first.
  fileprivate func upsampled(_ scales: ValueID) throws(Diagnostic) -> ValueID {
    var rule = ResampleRule()
    rule.mode = try word("mode", default: "nearest")
    rule.coordinates = .asymmetric
    rule.rounding = .floor
    return try resized(Resize(shape: [], rule: rule), Array(0..<(try rank(try input(0)))), scales: scales, nil)
  }

  /// An attribute that is one of a set of words.
  fileprivate func word<Choice: RawRepresentable>(
    _ name: String, default value: String
  ) throws(Diagnostic) -> Choice where Choice.RawValue == String {
    let text = try string(name, default: value)
    guard let choice = Choice(rawValue: text) else { throw .unsupported("\(name) \"\(text)\" is not supported") }
    return choice
  }

  /// An optional input that holds something: an empty list stands for one left out.
  fileprivate func given(_ number: Int) throws(Diagnostic) -> ValueID? {
    guard let value = optionalInput(number) else { return nil }
    return try type(value).elementCount.constant == 0 ? nil : value
  }

  /// Puts `roi` into the op, or returns it for all axes where only the run knows it.
  fileprivate func resizeRegion(_ kind: inout Resize, _ axes: [Int]) throws(Diagnostic) -> ValueID? {
    guard kind.rule.coordinates == .cropAndResize else { return nil }
    guard let roi = try given(1) else { throw .invalid("roi is missing") }
    let rank = try rank(try input(0))
    guard try shape(roi) == [Dim(2 * axes.count)] else {
      throw .invalid("roi is \(try type(roi)), expected \(2 * axes.count) numbers")
    }
    let whole = Array(repeating: 0.0, count: rank) + Array(repeating: 1.0, count: rank)
    if let known = tensor(roi)?.doubles() {
      kind.region = whole
      for (number, axis) in axes.enumerated() {
        kind.region[axis] = known[number]
        kind.region[axis + rank] = known[number + axes.count]
      }
      return nil
    }
    let places = axes + axes.map { $0 + rank }
    return try spread(try cast(roi, to: .f64), over: whole, at: places)
  }

  /// `base` with the elements of `values` at `places`.
  private func spread(_ values: ValueID, over base: [Double], at places: [Int]) throws(Diagnostic) -> ValueID {
    let count = places.count
    return try add(
      ScatterElements(axis: 0), try constant(Tensor(.f64, [base.count], doubles: base)), try constant(places),
      try reshape(values, [Dim(count)]))
  }

  fileprivate func resized(
    _ kind: Resize, _ axes: [Int], scales: ValueID, _ region: ValueID?
  ) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    var kind = kind
    kind.shape = try shape(x)
    guard try shape(scales) == [Dim(axes.count)] else {
      throw .invalid("scales is \(try type(scales)), expected \(axes.count) numbers")
    }
    if let known = tensor(scales)?.doubles() {
      kind.scales = Array(repeating: 1, count: kind.shape.count)
      for (number, axis) in axes.enumerated() {
        guard known[number] > 0, known[number].isFinite else { throw .invalid("scales is \(known)") }
        kind.scales[axis] = known[number]
        kind.shape[axis] = try scaled(kind.shape[axis], Float(known[number]))
      }
      return try add(kind, [x, nil, region])
    }
    let factors = try cast(scales, to: .f32)
    for (number, axis) in axes.enumerated() {
      let factor = try reshape(try slice(factors, axis: 0, start: Dim(number), size: 1), [])
      let extent = try cast(try dimension(kind.shape[axis]), to: .f32)
      let length = try cast(try unary(.floor, try binary(.mul, factor, extent)), to: .i64)
      kind.shape[axis] = try self.extent(of: length, "resized")
    }
    let ones = Array(repeating: 1.0, count: kind.shape.count)
    return try add(kind, [x, try spread(try cast(factors, to: .f64), over: ones, at: axes), region])
  }

  /// An extent times a scale, rounded down, as the format's own shape inference does it: in f32.
  private func scaled(_ extent: Dim, _ scale: Float) throws(Diagnostic) -> Dim {
    if let value = extent.constant {
      let length = (Float(value) * scale).rounded(.down)
      guard length < 0x1p40 else { throw .invalid("a scale of \(scale) makes an axis of \(value) too long") }
      return Dim(Int(length))
    }
    // The simplest fraction that is the scale as f32.
    for denominator in 1...1024 {
      let numerator = (scale * Float(denominator)).rounded()
      guard numerator > 0, numerator < 0x1p20, numerator / Float(denominator) == scale else { continue }
      return (extent * Int(numerator)).floorDivided(by: Dim(denominator))
    }
    throw .unsupported("a scale of \(scale) over an axis of \(extent) elements is not supported")
  }

  fileprivate func resized(
    _ kind: Resize, _ axes: [Int], sizes: ValueID, _ region: ValueID?
  ) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    var kind = kind
    kind.shape = try shape(x)
    guard try shape(sizes) == [Dim(axes.count)] else {
      throw .invalid("sizes is \(try type(sizes)), expected \(axes.count) numbers")
    }
    let policy = try string("keep_aspect_ratio_policy", default: "stretch")
    if policy == "stretch" {
      for (axis, size) in zip(axes, try extents(of: sizes, "size")) { kind.shape[axis] = size }
      return try add(kind, [x, nil, region])
    }
    guard policy == "not_larger" || policy == "not_smaller" else {
      throw .invalid("keep_aspect_ratio_policy is \"\(policy)\"")
    }
    // The same scale for all axes: the least or the greatest of those asked for.
    let extents = try cast(try dimensions(axes.map { kind.shape[$0] }), to: .f64)
    let ratios = try binary(.div, try cast(sizes, to: .f64), extents)
    let scale = try reduce(policy == "not_larger" ? .min : .max, ratios, axes: [0], keepDims: false)
    let lengths = try unary(.floor, try binary(.add, try binary(.mul, extents, scale), try scalar(0.5, .f64)))
    let ones = Array(repeating: 1.0, count: kind.shape.count)
    let scales = try spread(try broadcast(scale, [Dim(axes.count)]), over: ones, at: axes)
    for (axis, size) in zip(axes, try self.extents(of: try cast(lengths, to: .i64), "size")) {
      kind.shape[axis] = size
    }
    return try add(kind, [x, scales, region])
  }
}

import Formats
import IR
import Support

extension MatMul: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let (a, b) = (try c.type(0), try c.type(1))
    let element = try c.element(0)
    guard element.isFloat else { return [try integer(c)] }
    if a.rank == 2, b.rank == 2, element != .bf16, c.has(2) || transposeLHS || transposeRHS, try biasFitsRows(c) {
      let attributes = [
        ONNXAttribute("transA", int: transposeLHS ? 1 : 0), ONNXAttribute("transB", int: transposeRHS ? 1 : 0),
      ]
      return [c.node("Gemm", try c.inputs(), attributes.filter { $0.int != 0 })]
    }
    var inputs = [try side(0, transposeLHS, c), try side(1, transposeRHS, c)]
    if let bias = try c.optionalInput(2) { inputs.append(bias) }
    return [
      try c.widened(element, inputs) { values, _ throws(Diagnostic) in
        let product = c.node("MatMul", [values[0], values[1]])
        return values.count > 2 ? c.node("Add", [product, values[2]]) : product
      }
    ]
  }

  /// The addend of a product of matrices stretches to the result, which it may not outgrow.
  private func biasFitsRows(_ c: ONNXEmissionContext) throws(Diagnostic) -> Bool {
    c.has(2) ? try c.type(2).rank <= 2 : true
  }

  private func side(_ number: Int, _ isTurned: Bool, _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    guard isTurned else { return try c.input(number) }
    var permutation = Array(0..<(try c.type(number).rank))
    permutation.swapAt(permutation.count - 2, permutation.count - 1)
    return try c.writer.transposed(try c.input(number), permutation, weightIsShared: c.isShared(number))
  }

  private func integer(_ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    let product = c.node("MatMulInteger", [try side(0, transposeLHS, c), try side(1, transposeRHS, c)])
    guard let bias = try c.optionalInput(2) else { return product }
    return c.node("Add", [product, bias])
  }
}

extension Conv: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let (x, w) = (try c.type(0), try c.type(1))
    let element = try c.element(0)
    let window = try geometry(x: x.shape, w: w.shape)
    var attributes = c.attributes(of: window)
    if groups != 1 { attributes.append(ONNXAttribute("group", int: groups)) }
    let image = try c.channelsFirst(try c.input(0), rank: x.rank)
    let filters = try self.filters(window, c)
    guard element.isFloat else {
      return [try c.channelsLast(try integer(image, filters, element, attributes, c), rank: x.rank)]
    }
    var inputs = [image, filters]
    if let bias = try c.optionalInput(2) { inputs.append(bias) }
    var types = ONNXEmissionContext.arithmeticTypes
    types[.f64] = nil
    let result = try c.widened(element, inputs, in: types) { values, _ throws(Diagnostic) in
      c.node("Conv", values, attributes)
    }
    return [try c.channelsLast(result, rank: x.rank)]
  }

  /// `[O, C / groups, kernel...]`.
  private func filters(_ window: WindowGeometry, _ c: ONNXEmissionContext) throws(Diagnostic) -> String {
    let type = try c.type(1)
    guard !kernel.isEmpty else { return try c.channelsFirst(try c.input(1), rank: type.rank) }
    guard let shape = type.constantShape else { throw .unsupported("conv: the filters \(type) have an open extent") }
    let taps = window.window.reduce(1, *)
    let split = try c.reshaped(try c.input(1), to: window.window + [shape[0] / max(taps, 1), shape[1]])
    return try c.transposed(split, [window.window.count + 1, window.window.count] + Array(window.window.indices))
  }

  private func integer(
    _ image: String, _ filters: String, _ element: ElementType, _ attributes: [ONNXAttribute], _ c: ONNXEmissionContext
  ) throws(Diagnostic) -> String {
    var inputs = [image, filters]
    if element == .i8 {
      // Runtimes take unsigned images: each element is moved up, and so is zero.
      let moved = c.node("Add", [c.cast(image, to: .i32), try c.number(128, .i32)])
      inputs = [c.cast(moved, to: .u8), filters, try c.number(128, .u8)]
    }
    let result = c.node("ConvInteger", inputs, attributes)
    guard let bias = try c.optionalInput(2) else { return result }
    return c.node("Add", [result, try c.perChannel(bias, rank: try c.type(0).rank)])
  }
}

extension ConvTranspose: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let (x, w) = (try c.type(0), try c.type(1))
    var attributes = c.attributes(of: try geometry(w: w.shape))
    if extra.contains(where: { $0 != 0 }) { attributes.append(ONNXAttribute("output_padding", ints: extra)) }
    if groups != 1 { attributes.append(ONNXAttribute("group", int: groups)) }
    var inputs = [try c.channelsFirst(try c.input(0), rank: x.rank), try c.channelsFirst(try c.input(1), rank: w.rank)]
    if let bias = try c.optionalInput(2) { inputs.append(bias) }
    let result = try c.widened(try c.element(0), inputs) { values, _ throws(Diagnostic) in
      c.node("ConvTranspose", values, attributes)
    }
    return [try c.channelsLast(result, rank: x.rank)]
  }
}

extension DeformConv: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    var attributes = c.attributes(of: try geometry(w: try c.type(1).shape))
    if groups != 1 { attributes.append(ONNXAttribute("group", int: groups)) }
    if offsetGroups != 1 { attributes.append(ONNXAttribute("offset_group", int: offsetGroups)) }
    var inputs: [String] = []
    for number in 0..<3 { inputs.append(try c.channelsFirst(try c.input(number), rank: 4)) }
    inputs.append(try c.optionalInput(4) ?? "")
    inputs.append(c.has(3) ? try c.channelsFirst(try c.input(3), rank: 4) : "")
    return [try c.channelsLast(c.node("DeformConv", inputs, attributes), rank: 4)]
  }
}

extension Determinant: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [
      try c.widened(try c.element(0), [try c.input(0)], in: [.bf16: .f32]) { inputs, _ throws(Diagnostic) in
        c.node("Det", inputs)
      }
    ]
  }
}

extension ONNXEmissionContext {
  /// A window as the format's operators describe it.
  func attributes(of window: WindowGeometry) -> [ONNXAttribute] {
    var result = [ONNXAttribute("kernel_shape", ints: window.window)]
    if window.strides.contains(where: { $0 != 1 }) { result.append(ONNXAttribute("strides", ints: window.strides)) }
    let padding = window.before + window.after
    if padding.contains(where: { $0 != 0 }) { result.append(ONNXAttribute("pads", ints: padding)) }
    if window.dilations.contains(where: { $0 != 1 }) {
      result.append(ONNXAttribute("dilations", ints: window.dilations))
    }
    return result
  }

  /// One number a channel, beside an image with channels first.
  func perChannel(_ x: String, rank: Int) throws(Diagnostic) -> String {
    try reshaped(x, to: [1, -1] + Array(repeating: 1, count: rank - 2))
  }
}

import IR
import Support
import Targets

extension Conv: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerContraction(op, followedBy: [], result: program.function[op].results[0])
  }
  func reading(_ number: Int) -> OperandReading { number == 1 ? .dense : .rows }
  var writesRows: Bool { true }
}

extension ProgramBuilder {
  func lower(_ kind: Conv, _ op: OpID, _ followedBy: [OpID], _ result: ValueID) throws(Diagnostic) {
    let operands = function[op].operands
    guard let imageValue = operands[0], let filters = operands[1] else { throw .bug("conv without operands") }
    guard try !tensorType(result).shape.contains(0) else {
      try allocate(for: result)
      return
    }
    let image = try tensorType(imageValue)
    let filterType = try tensorType(filters)
    guard let channels = image.shape[image.rank - 1].constant, let matrixShape = filterType.constantShape else {
      throw .unsupported("conv with a run-time number of channels has no code yet")
    }
    // Rows whose distance only the run tells are copied.
    let rows = try self.rows(of: imageValue)
    let pixels: (buffer: BufferID, pitch: Int)
    if let pitch = rows.pitch.constant {
      pixels = (rows.buffer, pitch)
    } else {
      pixels = (try buffer(of: imageValue), channels)
    }
    let site = ([op] + followedBy).map { self.site($0) }.joined(separator: ", ")
    let source =
      kind.kernel.isEmpty
      ? try Filters(filters, matrixShape, self)
      : try Filters(matrix: filters, kernel: kind.kernel, channels: channels / kind.groups, self, site: site)
    var convolution = Convolution(
      op: op, followedBy: followedBy, result: result, bias: operands.count > 2 ? operands[2] : nil,
      site: site,
      multiplication: try Multiplication(
        left: try image.elementForCode(), right: source.element, profile: profile),
      image: image, pixels: pixels, filters: source, channels: channels, groups: kind.groups,
      geometry: try kind.geometry(x: image.shape, w: filterType.shape),
      sums: try tensorType(function[op].results[0]))
    if convolution.multiplication.arithmetic == .dot4(signedLeft: true), convolution.isPadded {
      try padImage(&convolution)
    }
    if convolution.multiplication.convertsLeft(on: profile) { try convertImage(&convolution) }
    if convolution.isPointwise { return try lowerPointwise(convolution) }
    guard let (vertical, horizontal) = convolution.axes else { return try lowerGeneral(convolution) }
    if try lowerDepthwise(convolution, vertical, horizontal) { return }
    if try lowerWinograd(convolution, vertical, horizontal) { return }
    try lowerImplicit(convolution, vertical, horizontal)
  }

  private func lowerPointwise(_ convolution: Convolution) throws(Diagnostic) {
    let (sums, image) = (convolution.sums, convolution.image)
    let tile = try TileChoice.best(
      convolution.multiplication, rows: sums.shape.dropLast().reduce(Dim(1), *), columns: Dim(convolution.columns),
      profile: profile)
    let (layout, packed, epilogue) = try operands(of: convolution, tile)
    let strides = convolution.imageStrides
    var generator = MatMulGenerator(
      multiplication: convolution.multiplication, tile: tile, batch: Array(sums.shape.dropLast(2)),
      rows: sums.shape[sums.rank - 2], depth: Dim(convolution.groupChannels),
      left: Epilogue.Operand(
        buffer: convolution.pixels.buffer, element: convolution.multiplication.left,
        batchStrides: Array(strides.dropLast(2)), rowStride: strides[image.rank - 2], columnStride: 1),
      leftStep: 1, layout: layout, panels: packed.buffer,
      panelBatchStrides: Array(repeating: 0, count: sums.rank - 2), epilogue: epilogue)
    generator.mergeBatchIntoRows()
    try dispatch("conv1x1", at: convolution.site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }

  private func lowerGeneral(_ convolution: Convolution) throws(Diagnostic) {
    let tile = try TileChoice.best(
      convolution.multiplication, rows: 1, columns: Dim(convolution.columns), profile: profile)
    let (layout, packed, epilogue) = try operands(of: convolution, tile)
    let generator = GeneralConvolutionGenerator(
      multiplication: convolution.multiplication, imageShape: convolution.image.shape,
      resultShape: convolution.sums.shape, geometry: convolution.geometry, groupChannels: convolution.groupChannels,
      groups: convolution.groups, layout: layout, unroll: tile.unroll, image: convolution.pixels.buffer,
      imageStrides: convolution.imageStrides, panels: packed.buffer, epilogue: epilogue)
    try dispatch("conv_any", at: convolution.site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }

  private func lowerImplicit(
    _ convolution: Convolution, _ vertical: WindowAxis, _ horizontal: WindowAxis
  ) throws(Diagnostic) {
    let tile = try TileChoice.best(
      convolution.multiplication, height: vertical.output, width: horizontal.output, columns: convolution.columns,
      profile: profile)
    let (layout, packed, epilogue) = try operands(of: convolution, tile)
    let generator = ConvolutionGenerator(
      multiplication: convolution.multiplication, batch: convolution.image.shape[0], vertical: vertical,
      horizontal: horizontal, pitch: convolution.pixels.pitch, groupChannels: convolution.groupChannels,
      groups: convolution.groups, layout: layout, tile: tile, image: convolution.pixels.buffer, panels: packed.buffer,
      epilogue: epilogue, hasRows: convolution.spatial == 2)
    try dispatch("conv", at: convolution.site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }

  /// One filter a channel, with filters known ahead of time, in f32 or in bytes; false for any other.
  private func lowerDepthwise(
    _ convolution: Convolution, _ vertical: WindowAxis, _ horizontal: WindowAxis
  ) throws(Diagnostic) -> Bool {
    guard convolution.groupChannels == 1, convolution.columns == 1,
      DepthwiseGenerator.serves(convolution.multiplication, taps: convolution.taps, profile),
      case .weight(let key, let source) = convolution.filters.place
    else { return false }
    let (channels, taps) = (convolution.channels, convolution.taps)
    let turned = weightBuffer(key.derived("taps_by_channels_f32"), bytes: channels * taps * 4) {
      let floats = source.storage == .f32 ? source : Tensor(.f32, source.shape, doubles: source.doubles())
      return floats.reshaped([channels, taps]).gathered([taps, channels], strides: [1, taps]).bytes
    }
    let epilogue = try self.epilogue(of: convolution)
    let generator = DepthwiseGenerator(
      batch: convolution.image.shape[0], vertical: vertical, horizontal: horizontal, channels: channels,
      element: convolution.multiplication.left, image: convolution.pixels.buffer, pitch: convolution.pixels.pitch,
      filters: turned, epilogue: epilogue, hasRows: convolution.spatial == 2)
    try dispatch("depthwise", at: convolution.site) { scope throws(Diagnostic) in try generator.generate(scope) }
    return true
  }

  func epilogue(of convolution: Convolution) throws(Diagnostic) -> Epilogue {
    try epilogue(
      of: convolution.op, bias: convolution.bias, convolution.followedBy, convolution.result, convolution.sums)
  }

  /// Packed filters, how they are packed, and what follows the sums.
  private func operands(
    of convolution: Convolution, _ tile: Tile
  ) throws(Diagnostic) -> (PanelLayout, PackedRight, Epilogue) {
    let multiplication = convolution.multiplication
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: multiplication.group,
      depth: Dim(convolution.taps * convolution.depthPerTap), columns: Dim(convolution.columns))
    let packed = try packFilters(
      convolution.filters, layout, multiplication, groups: convolution.groups, taps: convolution.taps,
      groupChannels: convolution.groupChannels, depthPerTap: convolution.depthPerTap, site: convolution.site)
    var epilogue = try self.epilogue(of: convolution)
    if let correction = packed.correction {
      epilogue.correction = Epilogue.Operand(
        buffer: correction, element: .i32, batchStrides: Array(repeating: 0, count: convolution.sums.rank - 2),
        rowStride: 0, columnStride: 1)
    }
    return (layout, packed, epilogue)
  }

  /// Goes on with a copy of the image in f32, and with such filters where they are known.
  private func convertImage(_ convolution: inout Convolution) throws(Diagnostic) {
    let source = TensorView(
      convolution.pixels.buffer, try convolution.image.elementForCode(), strides: convolution.imageStrides)
    convolution.multiplication = convolution.multiplication.ofConvertedLeft
    convolution.image = TensorType(.f32, convolution.image.shape)
    convolution.pixels = (
      try converted(convolution.image, from: source, site: convolution.site).buffer, convolution.channels
    )
    if case .weight(let key, let tensor) = convolution.filters.place {
      let wide = Tensor(.f32, tensor.shape, doubles: tensor.doubles())
      convolution.filters.place = .weight(key.derived("f32"), wide)
      convolution.filters.element = .f32
    }
  }

  /// A dense copy of `source` with the element of `type`, which holds all of its values.
  func converted(_ type: TensorType, from source: TensorView, site: String) throws(Diagnostic) -> TensorView {
    let target = try TensorView(dense: type, try allocate(type, "converted"))
    try emitMap(type.shape, [source], [target], site: site) { $1 }
    return target
  }

  /// Goes on with a copy of the image that has a border of zeros: the shift of a signed image to unsigned makes its
  /// zeros 128, so what is padded must be shifted too.
  private func padImage(_ convolution: inout Convolution) throws(Diagnostic) {
    let geometry = convolution.geometry
    let element = try convolution.image.elementForCode()
    var shape = convolution.image.shape
    for axis in geometry.window.indices {
      shape[axis + 1] = shape[axis + 1] + (geometry.before[axis] + geometry.after[axis])
    }
    let type = TensorType(element, shape)
    let padded = try allocate(type, "padded image")
    append(.fill(padded, bytes: try bytes(of: type)))
    var target = try TensorView(dense: type, padded)
    for axis in geometry.window.indices {
      target.offset = target.offset + target.strides[axis + 1] * geometry.before[axis]
    }
    let source = TensorView(convolution.pixels.buffer, element, strides: convolution.imageStrides)
    try emitCopy(convolution.image.shape, from: source, to: target, site: convolution.site)
    convolution.image = type
    convolution.pixels = (padded, convolution.channels)
    convolution.geometry = try WindowGeometry(
      "conv", window: geometry.window, strides: geometry.strides, padding: [], dilations: geometry.dilations)
  }

  /// Filters as one packed matrix a group, each tap's channels padded to whole groups.
  private func packFilters(
    _ filters: Filters, _ layout: PanelLayout, _ multiplication: Multiplication, groups: Int, taps: Int,
    groupChannels: Int, depthPerTap: Int, site: String
  ) throws(Diagnostic) -> PackedRight {
    let perFilter = taps * depthPerTap
    let matrix = RightMatrix(
      value: filters.value,
      type: TensorType(filters.element, [Dim(groups), Dim(perFilter), Dim(filters.shape[0] / groups)]),
      rowStride: 1, columnStride: Dim(perFilter))
    let isShifted = multiplication.arithmetic == .dot4(signedLeft: true)
    let isPadded = depthPerTap != groupChannels
    switch filters.place {
    case .weight(let key, let tensor):
      let (buffer, correction) = try packWeight(
        isPadded ? key.derived("taps\(depthPerTap)") : key,
        isPadded ? try filters.padded(tensor, taps: taps, from: groupChannels, to: depthPerTap) : tensor,
        matrix, layout, multiplication, isShifted)
      return PackedRight(
        buffer: buffer, strides: [layout.elements], correction: correction, correctionStrides: [layout.columns])
    case .buffer(var source):
      if isPadded {
        // Padded by a copy in front of the packing: zeroed, then the channels moved apart.
        let bytes = Dim(filters.shape[0] * perFilter * filters.element.bits / 8)
        let padded = addBuffer("padded \(label(filters.value))", bytes: bytes, .workspace)
        append(.fill(padded, bytes: bytes))
        try emitCopy(
          [Dim(filters.shape[0]), Dim(taps), Dim(groupChannels)],
          from: TensorView(
            source, filters.element, strides: [Dim(taps * groupChannels), Dim(groupChannels), 1]),
          to: TensorView(padded, filters.element, strides: [Dim(perFilter), Dim(depthPerTap), 1]), site: site)
        source = padded
      }
      return try pack(
        matrix, from: source, layout, multiplication, batch: [Dim(groups)], isShifted: isShifted, site: site)
    }
  }
}

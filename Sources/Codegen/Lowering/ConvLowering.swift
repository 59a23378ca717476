import IR
import Support
import Targets

extension Conv: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerContraction(op, followedBy: [], result: program.function[op].results[0])
  }
}

extension ProgramBuilder {
  func lower(_ kind: Conv, _ op: OpID, _ followedBy: [OpID], _ result: ValueID) throws(Diagnostic) {
    let operands = function[op].operands
    let site = ([op] + followedBy).map { self.site($0) }.joined(separator: ", ")
    guard let imageValue = operands[0], let filterValue = operands[1] else { throw .bug("conv without operands") }
    var image = try tensorType(imageValue)
    var imageBuffer = try buffer(of: imageValue)
    let filters = try tensorType(filterValue)
    let sums = try tensorType(function[op].results[0])
    let multiplication = try Multiplication(
      left: try image.elementForCode(), right: try filters.elementForCode(), profile: profile)
    guard kind.kernel.isEmpty else { throw .unsupported("conv on filters that are a packed matrix has no code yet") }
    guard let channels = image.shape[image.rank - 1].constant, let filterShape = filters.constantShape else {
      throw .unsupported("conv with a run-time number of channels has no code yet")
    }
    var geometry = try kind.geometry(x: image.shape, w: filters.shape)
    if multiplication.arithmetic == .dot4(signedLeft: true),
      (geometry.before + geometry.after).contains(where: { $0 > 0 })
    {
      // The shift of a signed image to unsigned makes its zeros 128: what is padded must be shifted too.
      (imageBuffer, image) = try padImage(imageBuffer, image, geometry, site: site)
      geometry = try WindowGeometry(
        "conv", window: geometry.window, strides: geometry.strides, padding: [], dilations: geometry.dilations)
    }
    let groupChannels = channels / kind.groups
    let taps = geometry.window.reduce(1, *)
    // Each tap starts a new group of the summed axis, so that taps can be skipped.
    let group = multiplication.group
    let depthPerTap = (groupChannels + group - 1) / group * group
    let columns = filterShape[0] / kind.groups
    let spatial = geometry.window.count
    let extents = Array(sums.shape[1...spatial])
    let constantImage = extents.allSatisfy { $0.constant != nil } && spatial <= 2
    let isPointwise =
      taps == 1 && kind.groups == 1 && geometry.strides.allSatisfy { $0 == 1 }
      && (geometry.before + geometry.after).allSatisfy { $0 == 0 }

    let height = constantImage && spatial == 2 ? extents[0].constant! : 1
    let width = constantImage ? extents[spatial - 1].constant! : 1
    let tile =
      constantImage && !isPointwise
      ? try TileChoice.best(multiplication, height: height, width: width, columns: columns, profile: profile)
      : try TileChoice.best(
        multiplication, rows: isPointwise ? sums.shape.dropLast().reduce(Dim(1), *) : Dim(1), columns: Dim(columns),
        profile: profile)
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: group, depth: Dim(taps * depthPerTap),
      columns: Dim(columns))
    let packed = try packFilters(
      filterValue, filterShape, layout, multiplication, groups: kind.groups, taps: taps, groupChannels: groupChannels,
      depthPerTap: depthPerTap, site: site)
    var epilogue = try self.epilogue(
      of: op, bias: operands.count > 2 ? operands[2] : nil, followedBy, result, sums, batchAxes: sums.rank - 2)
    if let correction = packed.correction {
      epilogue.correction = Epilogue.Operand(
        buffer: correction, element: .i32, batchStrides: Array(repeating: 0, count: sums.rank - 2), rowStride: 0,
        columnStride: 1)
    }
    if isPointwise {
      let strides = rowMajorStrides(image.shape)
      var generator = MatMulGenerator(
        multiplication: multiplication, tile: tile, batch: Array(sums.shape.dropLast(2)),
        rows: sums.shape[sums.rank - 2],
        depth: Dim(groupChannels),
        left: Epilogue.Operand(
          buffer: imageBuffer, element: multiplication.left, batchStrides: Array(strides.dropLast(2)),
          rowStride: strides[image.rank - 2], columnStride: 1),
        leftStep: 1, layout: layout, panels: packed.buffer,
        panelBatchStrides: Array(repeating: 0, count: sums.rank - 2), epilogue: epilogue)
      generator.mergeBatchIntoRows()
      return try dispatch("conv1x1", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
    }
    guard constantImage else {
      let generator = GeneralConvolutionGenerator(
        multiplication: multiplication, imageShape: image.shape, resultShape: sums.shape, geometry: geometry,
        groupChannels: groupChannels, groups: kind.groups, layout: layout, unroll: tile.unroll, image: imageBuffer,
        panels: packed.buffer, epilogue: epilogue)
      return try dispatch("conv_any", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
    }
    func axis(_ number: Int) -> ConvolutionGenerator.Axis {
      ConvolutionGenerator.Axis(
        input: image.shape[number + 1].constant!, output: extents[number].constant!, window: geometry.window[number],
        stride: geometry.strides[number], dilation: geometry.dilations[number], before: geometry.before[number])
    }
    let single = ConvolutionGenerator.Axis(input: 1, output: 1, window: 1, stride: 1, dilation: 1, before: 0)
    let generator = ConvolutionGenerator(
      multiplication: multiplication, batch: image.shape[0], vertical: spatial == 2 ? axis(0) : single,
      horizontal: axis(spatial - 1), channels: channels, groupChannels: groupChannels, groups: kind.groups,
      layout: layout, tile: tile, image: imageBuffer, panels: packed.buffer, epilogue: epilogue,
      hasRows: spatial == 2)
    try dispatch("conv", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }

  /// A copy of the image with a border of zeros.
  private func padImage(
    _ source: BufferID, _ image: TensorType, _ geometry: WindowGeometry, site: String
  ) throws(Diagnostic) -> (BufferID, TensorType) {
    let element = try image.elementForCode()
    var shape = image.shape
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
    try emitCopy(
      image.shape, from: TensorView(source, element, strides: rowMajorStrides(image.shape)), to: target, site: site)
    return (padded, type)
  }

  /// Filters `[O, taps..., C]` as one packed matrix a group, each tap's channels padded to whole groups.
  private func packFilters(
    _ value: ValueID, _ shape: [Int], _ layout: PanelLayout, _ multiplication: Multiplication, groups: Int, taps: Int,
    groupChannels: Int, depthPerTap: Int, site: String
  ) throws(Diagnostic) -> PackedRight {
    let perFilter = taps * depthPerTap
    let columns = shape[0] / groups
    let isShifted = multiplication.arithmetic == .dot4(signedLeft: true)
    let matrix = RightMatrix(
      value: value,
      type: TensorType(
        try tensorType(value).elementForCode(), [Dim(groups), Dim(perFilter), Dim(columns)]),
      rowStride: 1, columnStride: Dim(perFilter))
    if depthPerTap == groupChannels {
      return try pack(matrix, layout, multiplication, batch: [Dim(groups)], site: site)
    }
    guard let name = weightName(value), let weight = module.weight(name) else {
      // Padded by a copy in front of the packing: zeroed, then the channels moved apart.
      let element = try tensorType(value).elementForCode()
      let bytes = Dim(shape[0] * perFilter * element.bits / 8)
      let padded = addBuffer("padded \(label(value))", bytes: bytes, .workspace)
      append(.fill(padded, bytes: bytes))
      let source = TensorView(
        try buffer(of: value), element, strides: [Dim(taps * groupChannels), Dim(groupChannels), 1])
      let target = TensorView(padded, element, strides: [Dim(perFilter), Dim(depthPerTap), 1])
      try emitCopy([Dim(shape[0]), Dim(taps), Dim(groupChannels)], from: source, to: target, site: site)
      return try pack(
        matrix, from: padded, layout, multiplication, batch: [Dim(groups)], isShifted: isShifted, site: site)
    }
    let source = weight.tensor
    let paddedName = "\(name)@taps\(depthPerTap)"
    let element = source.storage ?? .f32
    let width = element.bits / 8
    let padded = ByteView(count: shape[0] * perFilter * width) { target in
      source.bytes.withBytes { bytes in
        for run in 0..<(shape[0] * taps) {
          for byte in 0..<(groupChannels * width) {
            target[run * depthPerTap * width + byte] = bytes[run * groupChannels * width + byte]
          }
        }
      }
    }
    let tensor = try Tensor(element: .plain(element), shape: [shape[0], perFilter], bytes: padded)
    let (buffer, correction) = try packWeight(paddedName, tensor, matrix, layout, multiplication, isShifted)
    return PackedRight(
      buffer: buffer, strides: [layout.elements], correction: correction, correctionStrides: [layout.columns])
  }
}

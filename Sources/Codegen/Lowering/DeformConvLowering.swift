import IR
import Support
import Targets

extension DeformConv: OpLowering {
  /// What the taps see, pixel by pixel, then one matrix product.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    let operands = operation.operands
    guard let xValue = operands[0], let wValue = operands[1], let offsetValue = operands[2] else {
      throw .bug("deform_conv without operands")
    }
    let (x, w) = (try program.tensorType(xValue), try program.tensorType(wValue))
    guard let channels = x.shape[3].constant, let filterShape = w.constantShape else {
      throw .unsupported("deform_conv with a run-time number of channels has no code yet")
    }
    func buffer(_ number: Int) throws(Diagnostic) -> BufferID? {
      guard number < operands.count, let value = operands[number] else { return nil }
      return try program.buffer(of: value)
    }
    let site = program.site(op)
    let element = try x.elementForCode()
    let result = operation.results[0]
    let resultType = try program.tensorType(result)
    let target = try program.allocate(for: result)
    if resultType.shape.contains(0) { return }
    let geometry = try geometry(w: w.shape)
    let taps = geometry.window.reduce(1, *)
    let (depth, columns) = (taps * channels / groups, filterShape[0] / groups)
    let rows = resultType.shape.dropLast().reduce(Dim(1), *)
    let samples = try program.allocate(
      TensorType(element, [rows, Dim(groups), Dim(depth)]), "taps of \(program.label(xValue))")
    let sampler = DeformSampleGenerator(
      geometry: geometry, batch: x.shape[0], input: Array(x.shape[1...2]), output: Array(resultType.shape[1...2]),
      channels: channels, groups: groups, offsetGroups: offsetGroups, element: element,
      image: try program.buffer(of: xValue), offsets: try program.buffer(of: offsetValue), mask: try buffer(3),
      target: samples)
    try program.dispatch("deform", at: site) { scope throws(Diagnostic) in try sampler.generate(scope) }

    let multiplication = try Multiplication(left: element, right: element, profile: program.profile)
    let tile = try TileChoice.best(multiplication, rows: rows, columns: Dim(columns), profile: program.profile)
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: 1, depth: Dim(depth), columns: Dim(columns))
    let matrix = RightMatrix(
      value: wValue, type: TensorType(element, [Dim(groups), Dim(columns), Dim(depth)]), rowStride: 1,
      columnStride: Dim(depth))
    let packed = try program.pack(matrix, layout, multiplication, batch: [Dim(groups)], site: site)
    var addends: [Epilogue.Operand] = []
    if let bias = try buffer(4) {
      addends.append(
        Epilogue.Operand(
          buffer: bias, element: element, batchStrides: [Dim(columns)], rowStride: 0, columnStride: 1))
    }
    let generator = MatMulGenerator(
      multiplication: multiplication, tile: tile, batch: [Dim(groups)], rows: rows, depth: Dim(depth),
      left: Epilogue.Operand(
        buffer: samples, element: element, batchStrides: [Dim(depth)], rowStride: Dim(groups * depth), columnStride: 1),
      leftStep: 1, layout: layout, panels: packed.buffer, panelBatchStrides: packed.strides,
      epilogue: Epilogue(
        operands: addends,
        result: Epilogue.Operand(
          buffer: target, element: element, batchStrides: [Dim(columns)], rowStride: Dim(groups * columns),
          columnStride: 1),
        correction: nil
      ) { scope, sum, values throws(Diagnostic) in
        scope.rounded(values.first.map { scope.build.add(sum, $0) } ?? sum, as: element)
      })
    try program.dispatch("matmul", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }
}

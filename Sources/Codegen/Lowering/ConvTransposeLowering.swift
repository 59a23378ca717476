import IR
import Support
import Targets

extension ConvTranspose: OpLowering {
  /// One matrix product for what every pixel gives through every tap, then a gather that adds it up; with one filter a
  /// channel, the gather multiplies itself.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let xValue = operation.operands[0], let wValue = operation.operands[1] else {
      throw .bug("conv_transpose without operands")
    }
    let (x, w) = (try program.tensorType(xValue), try program.tensorType(wValue))
    guard let filterShape = w.constantShape else {
      throw .unsupported("conv_transpose with a run-time number of channels has no code yet")
    }
    let site = program.site(op)
    let element = try x.elementForCode()
    let result = operation.results[0]
    let resultType = try program.tensorType(result)
    let target = try TensorView(dense: resultType, try program.allocate(for: result))
    if resultType.shape.contains(0) { return }
    let geometry = try geometry(w: w.shape)
    let taps = geometry.window.reduce(1, *)
    let missing = 3 - geometry.window.count
    func spatial(_ type: TensorType) -> [Dim] { Array(repeating: 1, count: missing) + type.shape[1..<type.rank - 1] }
    let (channels, columns) = (filterShape[0], filterShape[filterShape.count - 1])
    let bias =
      try operation.operands.count > 2
      ? operation.operands[2].map { value throws(Diagnostic) in try program.buffer(of: value) } : nil
    let threeAxes = try geometry.threeAxes

    func gather(_ source: ColumnGatherGenerator.Source, groups: Int, columns: Int) throws(Diagnostic) {
      try program.dispatch("columns", at: site) { scope throws(Diagnostic) in
        try ColumnGatherGenerator(
          source: source, batch: x.shape[0], input: spatial(x), output: spatial(resultType), geometry: threeAxes,
          groups: groups, columns: columns, bias: bias, target: target
        ).generate(scope)
      }
    }

    if channels == groups, columns == 1 {
      // Filters with the taps outermost, as vectors of channels read them.
      let type = TensorType(element, [Dim(taps), Dim(channels)])
      let turned = try program.allocate(type, "taps of \(program.label(wValue))")
      let source = TensorView(try program.buffer(of: wValue), element, strides: [1, Dim(taps)])
      try program.emitCopy(type.shape, from: source, to: try TensorView(dense: type, turned), site: site)
      let image = try TensorView(dense: x, try program.buffer(of: xValue))
      return try gather(.products(image, filters: turned), groups: 1, columns: channels)
    }

    let multiplication = try Multiplication(left: element, right: element, profile: program.profile)
    let depth = channels / groups
    let perGroup = taps * columns
    let rows = spatial(x).reduce(x.shape[0], *)
    let tile = try TileChoice.best(multiplication, rows: rows, columns: Dim(perGroup), profile: program.profile)
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: 1, depth: Dim(depth), columns: Dim(perGroup))
    let matrix = RightMatrix(
      value: wValue, type: TensorType(element, [Dim(groups), Dim(depth), Dim(perGroup)]), rowStride: Dim(perGroup),
      columnStride: 1)
    let packed = try program.pack(matrix, layout, multiplication, batch: [Dim(groups)], site: site)
    let products = TensorType(multiplication.sums, [rows, Dim(groups), Dim(perGroup)])
    let buffer = try program.allocate(products, "columns of \(program.label(xValue))")
    let generator = MatMulGenerator(
      multiplication: multiplication, tile: tile, batch: [Dim(groups)], rows: rows, depth: Dim(depth),
      left: Epilogue.Operand(
        buffer: try program.buffer(of: xValue), element: element, batchStrides: [Dim(depth)], rowStride: Dim(channels),
        columnStride: 1),
      leftStep: 1, layout: layout, panels: packed.buffer, panelBatchStrides: packed.strides,
      epilogue: Epilogue(
        operands: [],
        result: Epilogue.Operand(
          buffer: buffer, element: multiplication.sums, batchStrides: [Dim(perGroup)],
          rowStride: Dim(groups * perGroup), columnStride: 1),
        correction: nil
      ) { _, sum, _ throws(Diagnostic) in sum })
    try program.dispatch("matmul", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
    try gather(.columns(buffer, element: multiplication.sums), groups: groups, columns: columns)
  }
}

import IR
import Support
import Targets

extension LSTM: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerRecurrence(self, op, .lstm(inputForget: inputForget))
  }
}

extension GRU: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerRecurrence(self, op, .gru(linearBeforeReset: linearBeforeReset))
  }
}

extension RNN: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerRecurrence(self, op, .plain)
  }
}

extension ProgramBuilder {
  /// One matrix product for the inputs of all steps, then a kernel that walks the steps; a direction at a time.
  fileprivate func lowerRecurrence(
    _ kind: some RecurrentKind, _ op: OpID, _ cell: RecurrenceGenerator.Cell
  ) throws(Diagnostic) {
    let operation = function[op]
    let site = site(op)
    func operand(_ number: Int) -> ValueID? {
      number < operation.operands.count ? operation.operands[number] : nil
    }
    func buffer(_ number: Int) throws(Diagnostic) -> BufferID? {
      guard let value = operand(number) else { return nil }
      return try self.buffer(of: value)
    }
    guard let xValue = operand(0), let wValue = operand(1), let rValue = operand(2) else {
      throw .bug("\(kind.mnemonic) without operands")
    }
    let (x, w, r) = (try tensorType(xValue), try tensorType(wValue), try tensorType(rValue))
    let element = try x.elementForCode()
    let (steps, batch, hidden) = (x.shape[0], x.shape[1], r.shape[2])
    let directions = kind.direction.count
    let rows = hidden * cell.gates
    let multiplication = try Multiplication(left: element, right: element, profile: profile)
    var results: [BufferID] = []
    for result in operation.results { results.append(try allocate(for: result)) }
    if (batch * hidden).constant == 0 { return }

    let layout = RecurrentLayout(
      gates: cell.gates, hidden: hidden, directions: directions, lanes: multiplication.lanes,
      registers: profile.vectorRegisters)
    let weights = try packWeights(rValue, element, layout, site: site)
    var lengths: TensorView?
    if let value = operand(4) {
      lengths = try TensorView(dense: try tensorType(value), try self.buffer(of: value))
    }
    let products = try allocate(
      TensorType(multiplication.sums, [steps, batch, rows]), "inputs of \(label(xValue))")
    let scratch = try allocate(
      TensorType(multiplication.sums, [batch, 4, hidden]), "states of \(label(xValue))")
    for direction in 0..<directions {
      try multiplyInputs(
        multiplication, x, try self.buffer(of: xValue), wValue, w, direction, directions,
        into: products, site: site)
      let generator = RecurrenceGenerator(
        cell: cell, element: element, direction: direction, directions: directions,
        isReversed: kind.direction.isReversed(direction), functions: try kind.functions(direction),
        clip: kind.clip,
        steps: steps, batch: batch, hidden: hidden, inputs: products, weights: weights,
        layout: layout, bias: try buffer(3),
        lengths: lengths, start: try buffer(5), cellStart: results.count > 2 ? try buffer(6) : nil,
        peepholes: results.count > 2 ? try buffer(7) : nil, scratch: scratch, result: results[0],
        last: results[1],
        cellLast: results.count > 2 ? results[2] : nil)
      try dispatch("recurrence", at: site) { scope throws(Diagnostic) in
        try generator.generate(scope)
      }
    }
  }

  /// `[directions, gates * hidden, hidden]` as the layout wants it: ahead of time where it is a weight.
  private func packWeights(
    _ value: ValueID, _ element: ElementType, _ layout: RecurrentLayout, site: String
  ) throws(Diagnostic) -> BufferID {
    let width = element.bits / 8
    let (hidden, units) = (layout.hidden, Dim(layout.units))
    let count = layout.elements * layout.directions
    if let (source, tensor) = constant(value), let elements = count.constant {
      let key = source.derived("recurrent\(layout.gates)x\(layout.units)")
      return weightBuffer(key, bytes: elements * width) { layout.pack(tensor.bytes, width: width) }
    }
    let target = addBuffer("packed \(label(value))", bytes: count * width, .workspace)
    append(.fill(target, bytes: count * width))
    let source = try buffer(of: value)
    func copy(_ first: Dim, _ blocks: Dim, _ units: Dim) throws(Diagnostic) {
      let shape = [Dim(layout.directions), Dim(layout.gates), blocks, hidden, units]
      let from = TensorView(
        source, element, offset: first * Dim(layout.units) * hidden,
        strides: [
          hidden * hidden * layout.gates, hidden * hidden, hidden * layout.units, 1, hidden,
        ])
      let to = TensorView(
        target, element, offset: first * hidden * layout.row,
        strides: [layout.elements, Dim(layout.units), hidden * layout.row, Dim(layout.row), 1])
      try emitCopy(shape, from: from, to: to, site: site)
    }
    let whole = hidden.floorDivided(by: units)
    try copy(0, whole, units)
    let rest = hidden.modulo(units)
    if rest != 0 { try copy(whole, 1, rest) }
    return target
  }

  /// `x w^T` for all steps of all sequences.
  private func multiplyInputs(
    _ multiplication: Multiplication, _ x: TensorType, _ xBuffer: BufferID, _ wValue: ValueID,
    _ w: TensorType,
    _ direction: Int, _ directions: Int, into target: BufferID, site: String
  ) throws(Diagnostic) {
    let rows = x.shape[0] * x.shape[1]
    let (columns, depth) = (w.shape[1], w.shape[2])
    guard rows.constant != 0 else { return }
    let tile = try TileChoice.best(multiplication, rows: rows, columns: columns, profile: profile)
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: 1, depth: depth, columns: columns)
    let matrix = RightMatrix(value: wValue, type: w, rowStride: 1, columnStride: depth)
    // All directions' weights lie packed one behind the other; packing them once serves all.
    let packed = try pack(matrix, layout, multiplication, batch: [Dim(directions)], site: site)
    let element = multiplication.left
    let generator = MatMulGenerator(
      multiplication: multiplication, tile: tile, batch: [], rows: rows, depth: depth,
      left: Epilogue.Operand(
        buffer: xBuffer, element: element, batchStrides: [], rowStride: depth, columnStride: 1),
      leftStep: 1, layout: layout, panels: packed.buffer,
      panelOffset: packed.strides[0] * direction,
      panelBatchStrides: [],
      epilogue: Epilogue(
        operands: [],
        result: Epilogue.Operand(
          buffer: target, element: multiplication.sums, batchStrides: [], rowStride: columns,
          columnStride: 1),
        correction: nil
      ) { _, sum, _ throws(Diagnostic) in sum })
    try dispatch("matmul", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }
}

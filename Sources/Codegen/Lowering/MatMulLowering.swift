import IR
import Support
import Targets

extension MatMul: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerContraction(op, followedBy: [], result: program.function[op].results[0])
  }
  /// The right operand is packed, from where it lies densely. Rows keep batches of products one tall product.
  func reading(_ number: Int) -> OperandReading { number == 1 ? .dense : .rows }
  var writesRows: Bool { true }
}

extension ProgramBuilder {
  /// A matmul or convolution and the scalar ops on its result, as one kernel where that can be expressed.
  func lowerContraction(_ op: OpID, followedBy: [OpID], result: ValueID) throws(Diagnostic) {
    let operation = function[op]
    switch operation.kind {
    case let kind as MatMul: try lower(kind, op, followedBy, result)
    case let kind as Conv: try lower(kind, op, followedBy, result)
    default: throw .bug("\(operation.kind.mnemonic) is no contraction")
    }
  }

  private func lower(_ kind: MatMul, _ op: OpID, _ followedBy: [OpID], _ result: ValueID) throws(Diagnostic) {
    let operands = function[op].operands
    let site = ([op] + followedBy).map { self.site($0) }.joined(separator: ", ")
    guard let leftValue = operands[0], let rightValue = operands[1] else { throw .bug("matmul without operands") }
    var left = try tensorType(leftValue)
    let right = try tensorType(rightValue)
    let sums = try tensorType(function[op].results[0])
    var multiplication = try Multiplication(
      left: try left.elementForCode(), right: try right.elementForCode(), profile: profile)

    let rank = sums.rank
    let rows = sums.shape[rank - 2]
    let columns = sums.shape[rank - 1]
    var isTransposed = kind.transposeLHS
    var leftView = try view(of: leftValue)
    if isTransposed, multiplication.group > 1 {
      (left, leftView) = try turned(left, leftView, site: site)
      isTransposed = false
    }
    if multiplication.convertsLeft(on: profile) {
      multiplication = multiplication.ofConvertedLeft
      left = TensorType(.f32, left.shape)
      leftView = try converted(left, from: leftView, site: site)
    }
    let depth = left.shape[isTransposed ? left.rank - 2 : left.rank - 1]
    // A right matrix that all batches share makes them rows of one product, see `mergeBatchIntoRows`.
    let isShared = right.shape.dropLast(2).allSatisfy { $0 == 1 }
    let tallest = isShared ? sums.shape.dropLast(2).reduce(rows, *) : rows
    let tile = try TileChoice.best(multiplication, rows: tallest, columns: columns, profile: profile)
    let layout = PanelLayout(
      vectors: tile.vectors, lanes: multiplication.lanes, group: multiplication.group, depth: depth, columns: columns)

    // What is multiplied in groups must lie side by side.
    if multiplication.group > 1, left.shape[left.rank - 1] != 1, leftView.strides[left.rank - 1] != 1 {
      leftView = try TensorView(dense: left, try buffer(of: leftValue))
    }
    let leftStrides = leftView.strides
    let batch = Array(sums.shape.dropLast(2))
    let leftBatch = TensorView(
      BufferID(0), .f32, strides: Array(leftStrides.dropLast(2))
    ).broadcast(from: Array(left.shape.dropLast(2)), to: batch).strides
    let leftOperand = Epilogue.Operand(
      buffer: leftView.buffer, element: multiplication.left, batchStrides: leftBatch,
      rowStride: leftStrides[isTransposed ? left.rank - 1 : left.rank - 2], columnStride: 1)

    let matrix = RightMatrix(
      value: rightValue, type: right, rowStride: kind.transposeRHS ? 1 : right.shape[right.rank - 1],
      columnStride: kind.transposeRHS ? right.shape[right.rank - 1] : 1)
    let packed = try pack(matrix, layout, multiplication, batch: batch, site: site)
    var epilogue = try self.epilogue(
      of: op, bias: operands.count > 2 ? operands[2] : nil, followedBy, result, sums)
    if let correction = packed.correction {
      epilogue.correction = Epilogue.Operand(
        buffer: correction, element: .i32, batchStrides: packed.correctionStrides, rowStride: 0, columnStride: 1)
    }

    var generator = MatMulGenerator(
      multiplication: multiplication, tile: tile, batch: batch, rows: rows, depth: depth, left: leftOperand,
      leftStep: leftStrides[isTransposed ? left.rank - 2 : left.rank - 1], layout: layout, panels: packed.buffer,
      panelBatchStrides: packed.strides, epilogue: epilogue)
    generator.mergeBatchIntoRows()
    try dispatch("matmul", at: site) { scope throws(Diagnostic) in try generator.generate(scope) }
  }

  /// A matrix with its last two axes exchanged: what is multiplied in groups must lie side by side.
  private func turned(
    _ type: TensorType, _ view: TensorView, site: String
  ) throws(Diagnostic) -> (TensorType, TensorView) {
    var shape = type.shape
    shape.swapAt(shape.count - 2, shape.count - 1)
    let result = type.with(shape: shape)
    let target = try TensorView(dense: result, try allocate(result, "transposed"))
    var source = view
    source.strides.swapAt(shape.count - 2, shape.count - 1)
    try emitCopy(shape, from: source, to: target, site: site)
    return (result, target)
  }

  /// The epilogue for the scalar ops after a contraction, result axes being batch axes, rows, columns.
  func epilogue(
    of op: OpID, bias: ValueID?, _ followedBy: [OpID], _ result: ValueID, _ sums: TensorType
  ) throws(Diagnostic) -> Epilogue {
    let sumElement = try sums.elementForCode()
    var graph = ScalarGraph()
    // Input 0 stands for the sum; it has no buffer.
    var source = graph.addInput(
      ScalarGraph.Input(view: TensorView(BufferID(-1), sumElement, strides: []), shape: sums.shape))
    let sumValue = function[op].results[0]
    var roundsSum = true
    if let bias {
      let biasSource = graph.addInput(
        ScalarGraph.Input(view: try view(of: bias), shape: try tensorType(bias).shape))
      source = graph.addNode(Binary(.add), [source, biasSource], [sumElement, sumElement], sumElement)
      roundsSum = false
    }
    graph.give(sumValue, as: source)
    for follower in followedBy {
      let operation = function[follower]
      guard let kind = operation.kind as? any ScalarLowering else { throw .bug("\(operation.kind.mnemonic) is no map") }
      try graph.add(kind, operands: operation.operands.compactMap { $0 }, result: operation.results[0], self)
    }
    guard let final = graph.source(of: result) else { throw .bug("the result of an epilogue is not computed by it") }
    let resultType = try tensorType(result)
    let target = try target(for: result)

    func operand(_ view: TensorView) -> Epilogue.Operand {
      let rank = resultType.rank
      return Epilogue.Operand(
        buffer: view.buffer, element: view.element, batchStrides: Array(view.strides[..<(rank - 2)]),
        rowStride: view.strides[rank - 2], columnStride: view.strides[rank - 1])
    }
    let operands = graph.inputs.dropFirst().map { operand($0.view.broadcast(from: $0.shape, to: resultType.shape)) }
    let finished = graph
    return Epilogue(
      operands: operands, result: operand(target), correction: nil
    ) { scope, sum, values throws(Diagnostic) in
      let first = roundsSum ? scope.rounded(sum, as: sumElement) : sum
      let given = [first] + values
      let nodes = try finished.emit(given, in: scope)
      switch final {
      case .input(let number): return given[number]
      case .node(let number): return nodes[number]
      }
    }
  }
}

extension MatMulGenerator {
  /// One tall product instead of a batch of them, where the right matrix is shared and every operand walks rows of
  /// neighbouring batches evenly.
  mutating func mergeBatchIntoRows() {
    guard !batch.isEmpty, panelBatchStrides.allSatisfy({ $0 == 0 }) else { return }
    let operands = [left, epilogue.result] + epilogue.operands
    // A single row has no stride of its own; the next batch's is the next row.
    let innermost = rows == 1 ? batch.indices.last { batch[$0] != 1 } : nil
    func rowStride(_ operand: Epilogue.Operand) -> Dim {
      innermost.map { operand.batchStrides[$0] } ?? operand.rowStride
    }
    for operand in operands {
      var step = rowStride(operand) * rows
      for axis in batch.indices.reversed() {
        guard batch[axis] == 1 || operand.batchStrides[axis] == step else { return }
        step = step * batch[axis]
      }
    }
    func flat(_ operand: Epilogue.Operand) -> Epilogue.Operand {
      var copy = operand
      copy.rowStride = rowStride(operand)
      copy.batchStrides = []
      return copy
    }
    let merged = batch.reduce(rows, *)
    var flatEpilogue = epilogue
    flatEpilogue.operands = epilogue.operands.map(flat)
    flatEpilogue.result = flat(epilogue.result)
    flatEpilogue.correction = epilogue.correction.map(flat)
    self = MatMulGenerator(
      multiplication: multiplication, tile: tile, batch: [], rows: merged, depth: depth, left: flat(left),
      leftStep: leftStep, layout: layout, panels: panels, panelBatchStrides: [], epilogue: flatEpilogue)
  }
}

import IR
import Support

extension LayerNorm: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerRowNormalization(op, axis: axis, subtractsMean: true, epsilon: epsilon)
  }
}

extension RMSNorm: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerRowNormalization(op, axis: axis, subtractsMean: false, epsilon: epsilon)
  }
}

extension ProgramBuilder {
  fileprivate func lowerRowNormalization(
    _ op: OpID, axis: Int, subtractsMean: Bool, epsilon: Double
  ) throws(Diagnostic) {
    let operation = function[op]
    guard let x = operation.operands[0] else { throw .bug("\(operation.kind.mnemonic) without an operand") }
    let type = try tensorType(x)
    let axis = axis < 0 ? axis + type.rank : axis
    let row = Array(type.shape[axis...])
    let source = try TensorView(dense: type, try buffer(of: x))
    let target = try TensorView(dense: type, try allocate(for: operation.results[0]))
    guard source.element.bits >= 8 else { throw .unsupported("\(operation.kind.mnemonic) of \(type) has no code yet") }
    if type.shape.contains(0) { return }
    var factors: [TensorView?] = []
    for number in 1...2 {
      let value = number < operation.operands.count ? operation.operands[number] : nil
      factors.append(try value.map { value throws(Diagnostic) in try rowOperand(value, row, site: site(op)) })
    }
    try dispatch("rownorm", at: site(op)) { scope throws(Diagnostic) in
      try RowNormalizationGenerator(
        rows: type.shape[..<axis].reduce(Dim(1), *), length: row.reduce(Dim(1), *), source: source,
        scale: factors[0], bias: factors[1], target: target, subtractsMean: subtractsMean, epsilon: epsilon
      ).generate(scope)
    }
  }

  /// An operand that stretches to a row, as one: a copy where it has to stretch.
  private func rowOperand(_ value: ValueID, _ row: [Dim], site: String) throws(Diagnostic) -> TensorView {
    let type = try tensorType(value)
    let view = try TensorView(dense: type, try buffer(of: value))
    let significant = { (shape: [Dim]) in Array(shape.drop { $0 == 1 }) }
    if significant(type.shape) == significant(row) { return view }
    let stretched = type.with(shape: row)
    let target = try TensorView(dense: stretched, try allocate(stretched, "stretched \(label(value))"))
    try emitCopy(row, from: view.broadcast(from: type.shape, to: row), to: target, site: site)
    return target
  }
}

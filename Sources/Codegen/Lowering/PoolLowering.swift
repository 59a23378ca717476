import IR
import Support

extension Pool: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("\(mnemonic) without an operand") }
    let type = try program.tensorType(x)
    let result = operation.results[0]
    let resultType = try program.tensorType(result)
    let geometry = try geometry
    guard !resultType.shape.contains(0) else {
      try program.allocate(for: result)
      return
    }
    let rows = try program.rows(of: x)
    var padded = type.shape
    padded[type.rank - 1] = rows.pitch
    let image = TensorView(rows.buffer, try type.elementForCode(), strides: rowMajorStrides(padded))
    try program.withElementTarget(of: result, inRows: true, site: program.site(op)) { target throws(Diagnostic) in
      try program.dispatch("pool", at: program.site(op)) { scope throws(Diagnostic) in
        try PoolGenerator(
          geometry: geometry, isAverage: function == .average, countsPadding: countPadding, imageShape: type.shape,
          resultShape: resultType.shape, image: image, result: target
        ).generate(scope)
      }
    }
  }
  func reading(_ number: Int) -> OperandReading { .rows }
  var writesRows: Bool { true }
}

import IR
import Support

extension Gather: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0], let indices = operation.operands[1] else {
      throw .bug("gather without operands")
    }
    let result = operation.results[0]
    let type = try program.tensorType(x)
    let axis = axis < 0 ? axis + type.rank : axis
    let indexType = try program.tensorType(indices)
    let index = try TensorView(dense: indexType, try program.buffer(of: indices))
    let outer = type.shape[..<axis].reduce(Dim(1), *)
    var inner = type.shape[(axis + 1)...].reduce(Dim(1), *)
    let isEmpty = try program.tensorType(result).shape.contains(0)

    func emit(_ source: TensorView, _ target: TensorView) throws(Diagnostic) {
      try program.dispatch("gather", at: program.site(op)) { scope throws(Diagnostic) in
        try GatherGenerator(
          outer: outer, extent: type.shape[axis], inner: inner, indexCount: indexType.elementCount, indices: index,
          data: source, target: target
        ).generate(scope)
      }
    }
    if case .block(let format) = type.element {
      // Blocks move as groups of bytes.
      inner = inner.floorDivided(by: Dim(format.valuesPerBlock)) * format.bytesPerBlock
      let target = try program.allocate(for: result)
      if isEmpty { return }
      try emit(TensorView(try program.buffer(of: x), .u8, strides: [1]), TensorView(target, .u8, strides: [1]))
      return
    }
    let source = try program.moveSource(x)
    if isEmpty {
      try program.allocate(for: result)
      return
    }
    try program.withMoveTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      try emit(source, target)
    }
  }
}

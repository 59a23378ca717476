import IR
import Support

extension TopK: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let x = try program.operand(0, of: op)
    let type = try program.tensorType(x)
    let element = try type.elementForCode()
    let axis = axis < 0 ? axis + type.rank : axis
    let results = program.function[op].results
    let site = program.site(op)
    program.requireNonNegative(k, site: site)
    program.requireNonNegative(type.shape[axis] - k, site: site)
    let source = try program.view(0, of: op)
    let isEmpty = try program.tensorType(results[0]).shape.contains(0)
    let indices = try program.allocate(for: results[1])
    try program.withElementBits(of: results[0], site: site) { target throws(Diagnostic) in
      guard !isEmpty else { return }
      try program.dispatch("top_k", at: site) { scope throws(Diagnostic) in
        try TopKGenerator(
          outer: type.shape[..<axis].reduce(Dim(1), *), extent: type.shape[axis],
          inner: type.shape[(axis + 1)...].reduce(Dim(1), *), k: k, largest: largest, element: element, data: source,
          values: target, indices: indices
        ).generate(scope)
      }
    }
  }
}

extension ProgramBuilder {
  /// Allocates a result whose elements a kernel computes or moves one by one, whatever their size: those of less than
  /// a byte are written a byte each, to be packed afterwards.
  func withElementBits(
    of result: ValueID, inRows: Bool = false, site: String, _ body: (TensorView) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let element = try tensorType(result).elementForCode()
    guard element.bits < 8 else { return try withElementTarget(of: result, inRows: inRows, site: site, body) }
    guard !element.isFloat else { throw .unsupported("\(element.rawValue) results have no code yet") }
    try withMoveTarget(of: result, site: site) { loose throws(Diagnostic) in
      var target = loose
      target.element = element.isSigned ? .i8 : .u8
      try body(target)
    }
  }
}

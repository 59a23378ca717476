import IR
import Support

extension Pad: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("pad without an operand") }
    let type = try program.tensorType(x)
    var source = try program.moveSource(x)
    var axes: [PadGenerator.Axis] = []
    for (axis, extent) in type.shape.enumerated() {
      let (cutBefore, cutAfter) = (min(before[axis], 0), min(after[axis], 0))
      program.requireNonNegative(extent + min(cutBefore, cutAfter), site: program.site(op))
      source.offset = source.offset - source.strides[axis] * cutBefore
      axes.append(
        PadGenerator.Axis(
          count: extent + (cutBefore + cutAfter), before: Dim(max(before[axis], 0)), after: Dim(max(after[axis], 0)),
          stride: source.strides[axis]))
    }
    let result = operation.results[0]
    let filler = try fillerBits(type.element, program.module)
    guard !(try program.tensorType(result).shape.contains(0)) else {
      try program.allocate(for: result)
      return
    }
    let view = source
    try program.withMoveTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      try program.dispatch("pad", at: program.site(op)) { scope throws(Diagnostic) in
        try PadGenerator(axes: axes, source: view, target: target.buffer, filler: filler).generate(scope)
      }
    }
  }

  /// The bits of the padding: what padding nothing evaluates to.
  private func fillerBits(_ element: TensorElement, _ module: Module) throws(Diagnostic) -> Int {
    let nothing = try Tensor(element: element, shape: [0], bytes: .empty)
    let type = ValueType.tensor(TensorType(element, [1]))
    let one = try Evaluator(module).evaluate(
      Pad(before: [1], after: [0], value: value), [.tensor(nothing)], results: [type])
    guard let bytes = one.first?.tensor?.bytes else { throw .bug("pad evaluates to nothing") }
    return bytes.bytes.enumerated().reduce(0) { $0 | Int($1.element) << ($1.offset * 8) }
  }
}

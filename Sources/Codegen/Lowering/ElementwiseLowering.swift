import IR
import Support

extension Unary: OpLowering {}
extension Binary: OpLowering {}
extension Compare: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    if program.takesTexts(op) { return try program.lowerTexts(.stringEqual, op, [function == .equal ? 1 : 0]) }
    try program.lowerMap([op], results: program.function[op].results, site: program.site(op))
  }
}

extension Select: OpLowering {}
extension Cast: OpLowering {}

extension OpLowering where Self: ScalarLowering {
  /// A scalar op on its own is a map of one node.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    try program.lowerMap([op], results: program.function[op].results, site: program.site(op))
  }
  func reading(_ number: Int) -> OperandReading { .strides }
  var writesRows: Bool { true }
}

extension ProgramBuilder {
  /// One kernel for a DAG of scalar ops. All `results` have one shape.
  func lowerMap(_ ops: [OpID], results: [ValueID], site: String) throws(Diagnostic) {
    var graph = ScalarGraph()
    for op in ops {
      let operation = function[op]
      guard let kind = operation.kind as? any ScalarLowering else { throw .bug("\(operation.kind.mnemonic) is no map") }
      try graph.add(kind, operands: operation.operands.compactMap { $0 }, result: operation.results[0], self)
    }
    let shape = try tensorType(results[0]).shape
    var sources: [ScalarGraph.Source] = []
    var outputs: [TensorView] = []
    let inputs = graph.inputs.map { $0.view.broadcast(from: $0.shape, to: shape) }
    // Packed elements are written whole bytes at a time, which takes one result and one axis to walk.
    let isFlat = results.count == 1 && inputs.allSatisfy { $0.strides == rowMajorStrides(shape) }
    var loose: [(elements: TensorView, packed: TensorView)] = []
    for result in results {
      guard let source = graph.source(of: result) else { throw .bug("a result of a map is not computed by it") }
      sources.append(source)
      let view = try target(for: result)
      if view.element.bits >= 8 || isFlat {
        outputs.append(view)
      } else {
        let count = shape.reduce(Dim(1), *)
        let bytes = addBuffer("elements of \(label(result))", bytes: count, .workspace)
        // One a byte, in a type that holds all that the packed one can.
        let wide: ElementType = view.element.isFloat ? .f8e4m3fn : .u8
        outputs.append(TensorView(bytes, wide, strides: view.strides))
        loose.append((TensorView(bytes, wide, strides: [1]), TensorView(view.buffer, view.element, strides: [1])))
      }
    }
    try emitMap(shape, inputs, outputs, exactLanes: graph.canFail, site: site) { scope, values throws(Diagnostic) in
      let nodes = try graph.emit(values, in: scope)
      return sources.map { source in
        switch source {
        case .input(let number): values[number]
        case .node(let number): nodes[number]
        }
      }
    }
    for (elements, packed) in loose {
      try emitCopy([shape.reduce(Dim(1), *)], from: elements, to: packed, site: site)
    }
  }

  func emitMap(
    _ shape: [Dim], _ inputs: [TensorView], _ outputs: [TensorView], exactLanes: Bool = false, site: String,
    _ body: @escaping (KernelScope, [LoopValue]) throws(Diagnostic) -> [LoopValue]
  ) throws(Diagnostic) {
    guard !shape.contains(0) else { return }
    try dispatch("map", at: site) { scope throws(Diagnostic) in
      try MapGenerator(shape: shape, inputs: inputs, outputs: outputs, exactLanes: exactLanes, body: body)
        .generate(scope, profile)
    }
  }

  /// Copies elements from one view to another, converting nothing.
  func emitCopy(_ shape: [Dim], from source: TensorView, to target: TensorView, site: String) throws(Diagnostic) {
    guard !shape.contains(0) else { return }
    let map = MapGenerator(shape: shape, inputs: [source], outputs: [target]) { $1 }
    if let interleave = try InterleaveGenerator(map, profile) {
      return try dispatch("interleave", at: site) { interleave.generate($0) }
    }
    if let transpose = try TransposeGenerator(map, profile) {
      return try dispatch("transpose", at: site) { transpose.generate($0) }
    }
    try dispatch("map", at: site) { scope throws(Diagnostic) in try map.generate(scope, profile) }
  }
}

import IR
import Support

extension ScatterElements: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let indexType = try program.operandType(1, of: op)
    let axis = axis < 0 ? axis + type.rank : axis
    program.requireNoLonger(indexType.shape, than: type.shape, except: axis, site: program.site(op))
    let generator = ElementIndexGenerator(
      shape: indexType.shape, dataShape: type.shape, axis: axis, indices: try program.view(1, of: op))
    try program.lowerScatter(op, reduction, isEmpty: indexType.shape.contains(0)) {
      scope, update throws(Diagnostic) in
      try generator.scatter(scope, update)
    }
  }
}

extension ScatterND: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let indexType = try program.operandType(1, of: op)
    let updates = try program.operandType(2, of: op)
    let generator = CoordinateGenerator(
      places: try CoordinatePlaces(type.shape, indexType.shape, batchDims: 0, mnemonic),
      batchDims: 0, dataShape: type.shape, indices: try program.view(1, of: op))
    try program.lowerScatter(op, reduction, isEmpty: updates.shape.contains(0)) { scope, update throws(Diagnostic) in
      try generator.scatter(scope, update)
    }
  }
}

extension ProgramBuilder {
  /// The first operand is copied, then updated in place.
  fileprivate func lowerScatter(
    _ op: OpID, _ reduction: ScatterReduction, isEmpty: Bool,
    _ generate: (KernelScope, ScatterUpdate) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let (x, updates) = (try operand(0, of: op), try operand(2, of: op))
    let type = try tensorType(x)
    let element = try type.elementForCode()
    var combination: Combination?
    switch reduction {
    case .none: break
    case .add: combination = try Combination(.sum, element)
    case .mul: combination = try Combination(.product, element)
    case .min: combination = try Combination(.minimum, element)
    case .max: combination = try Combination(.maximum, element)
    }
    let source = try moveSource(x)
    var change = try moveSource(updates)
    if reduction != .none { change.element = element }
    guard reduction == .none || element.bits >= 8 || !element.isFloat else {
      throw .unsupported("scatters that compute with \(element.rawValue) have no code yet")
    }
    try withMoveTarget(of: function[op].results[0], site: site(op)) { loose throws(Diagnostic) in
      var (from, target) = (source, loose)
      if reduction != .none {
        // Numbers of less than a byte lie in a byte each here.
        from.element = element
        target.element = element.bits >= 8 ? element : element.isSigned ? .i8 : .u8
      }
      try emitCopy(type.shape, from: from, to: target, site: site(op))
      guard !isEmpty else { return }
      let update = ScatterUpdate(updates: change, target: target, combination: combination, element: element)
      try dispatch("scatter", at: site(op)) { scope throws(Diagnostic) in try generate(scope, update) }
    }
  }
}

import IR
import Support

extension Resize: OpLowering {
  /// A kernel for each resampled axis, each with a table: of the weights section where the extents are known, made by
  /// a kernel in front where they are not.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let type = try program.operandType(0, of: op)
    let element = try type.elementForCode()
    let result = program.function[op].results[0]
    let computedScales = try view(1, of: op, program)
    let computedRegion = rule.coordinates == .cropAndResize ? try view(2, of: op, program) : nil
    let steps = axes(type.shape, isComputed: computedScales != nil || computedRegion != nil)
    guard !shape.contains(0) else {
      try program.allocate(for: result)
      return
    }
    guard !steps.isEmpty else { return try program.lowerMove(op) { _ in } }
    // Integers are computed in f64, so that what is exactly between two of them stays there.
    let computed: ElementType = element.isFloat && element != .f64 ? .f32 : .f64
    var source = try program.view(0, of: op)
    // Pixels are written whole, wherever the next one is.
    let writesPixels = steps.last.map { $0.axis == shape.count - 2 } ?? false
    try program.withElementBits(of: result, inRows: writesPixels, site: program.site(op)) { target throws(Diagnostic) in
      var extents = type.shape
      for (number, step) in steps.enumerated() {
        let axis = step.axis
        let table = try table(
          step, extents[axis], computed, op, program, scales: computedScales, regions: computedRegion)
        var output = target
        var made = element
        let before = extents
        extents[axis] = shape[axis]
        if number < steps.count - 1 {
          let between = rule.mode == .nearest ? element : computed
          made = between
          let form = try ElementForm(between)
          // Elements of less than a byte take one each on the way.
          let stored: ElementType = form.perByte > 1 ? (between.isSigned ? .i8 : .u8) : between
          let bytes = extents.reduce(Dim(1), *) * (form.memory.bytes)
          output = TensorView(
            program.addBuffer("resized \(program.label(result))", bytes: bytes, .workspace), stored,
            strides: rowMajorStrides(extents))
        }
        let generator = ResampleGenerator(
          outer: before[..<axis].reduce(Dim(1), *), extent: before[axis],
          inner: before[(axis + 1)...].reduce(Dim(1), *), count: shape[axis], table: table, computed: computed,
          element: made,
          extrapolation: extrapolation, data: source, target: output, targetStep: output.strides[axis])
        try program.dispatch("resize", at: program.site(op)) { scope throws(Diagnostic) in
          try generator.generate(scope)
        }
        source = output
      }
    }
  }

  /// An optional operand.
  private func view(_ number: Int, of op: OpID, _ program: ProgramBuilder) throws(Diagnostic) -> TensorView? {
    let operands = program.function[op].operands
    return number < operands.count && operands[number] != nil ? try program.view(number, of: op) : nil
  }

  var writesRows: Bool { true }

  private func table(
    _ step: Step, _ extent: Dim, _ computed: ElementType, _ op: OpID, _ program: ProgramBuilder,
    scales: TensorView?, regions: TensorView?
  ) throws(Diagnostic) -> ResampleGenerator.Table {
    let count = shape[step.axis]
    let isCropped = rule.coordinates == .cropAndResize
    let isWeighted = rule.mode != .nearest
    if scales == nil, regions == nil, let from = extent.constant, let to = count.constant {
      let axis = try ResampleAxis(rule, extent: from, count: to, scale: step.scale, region: step.region)
      func place(_ tensor: Tensor) -> BufferID { program.weightBuffer(program.parameterKey(tensor), tensor) }
      let size = axis.taps * to
      let flags = isCropped ? axis.isOutside.map { $0 ? 1 : 0 } : []
      return ResampleGenerator.Table(
        taps: Dim(axis.taps),
        indices: place(Tensor(.i64, [size + flags.count], integers: axis.indices + flags)),
        weights: isWeighted ? place(Tensor(computed, [size], doubles: axis.weights)) : nil, hasOutside: isCropped)
    }
    // What is made smaller has at least as many elements as its scale says: the extents bound the kernel's width.
    var taps = Dim(isWeighted ? rule.mode == .cubic ? 4 : 2 : 1)
    if rule.antialias {
      let reach = (extent * (rule.mode == .cubic ? 2 : 1)).ceilDivided(by: Dim.maximum(count, 1))
      taps = Dim.maximum(reach, taps) * 2 + 2
    }
    let label = program.label(program.function[op].results[0])
    func buffer(_ name: String, _ elements: Dim, _ size: Int) -> BufferID {
      program.addBuffer("\(name) of \(label)", bytes: elements * size, .workspace)
    }
    let table = ResampleGenerator.Table(
      taps: taps, indices: buffer("places", count * (isCropped ? taps + 1 : taps), 8),
      weights: isWeighted ? buffer("weights", count * taps, computed.bits / 8) : nil, hasOutside: isCropped)
    let scalar = try ElementForm(computed).register
    try program.dispatch("resize_table", at: program.site(op)) { scope throws(Diagnostic) in
      try ResampleTableGenerator(
        rule: rule, extent: extent, count: count, scale: step.scale, region: step.region, axis: step.axis,
        rank: shape.count, scales: scales, regions: regions, taps: taps, table: table, weightScalar: scalar
      ).generate(scope)
    }
    return table
  }
}

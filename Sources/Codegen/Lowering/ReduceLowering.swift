import IR
import Support

extension Reduce: OpLowering {
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let x = operation.operands[0] else { throw .bug("\(mnemonic) without an operand") }
    let type = try program.tensorType(x)
    let element = try type.elementForCode()
    let reduced = try reducedAxes(rank: type.rank)
    let result = operation.results[0]
    guard !(try program.tensorType(result).shape.contains(0)) else {
      try program.allocate(for: result)
      return
    }
    let source = try program.view(of: x)
    let count = type.shape.indices.reduce(Dim(1)) { reduced[$1] ? $0 * type.shape[$1] : $0 }
    let isIntegerMean = function == .mean && !element.isFloat
    // An integer mean divides the sum that nothing has wrapped yet.
    let combination = try Combination(combined, element, scalar: isIntegerMean ? .i64 : nil)
    let kept = rowMajorStrides(type.shape.indices.map { reduced[$0] ? 1 : type.shape[$0] })

    try program.withElementTarget(of: result, site: program.site(op)) { target throws(Diagnostic) in
      let output = TensorView(
        target.buffer, target.element, strides: type.shape.indices.map { reduced[$0] ? 0 : kept[$0] })
      try program.dispatch("reduce", at: program.site(op)) { scope throws(Diagnostic) in
        if isIntegerMean, count.bounds(program.ranges).contains(0) {
          // As `evaluate` fails: only where there is a result to compute.
          let results = scope.index(try program.tensorType(result).elementCount)
          let isFine = scope.build.binary(
            .or, scope.build.compare(.ne, scope.index(count), scope.build.index(0)),
            scope.build.compare(.eq, results, scope.build.index(0)))
          scope.build.check(isFine, status: KernelStatus.divisionByZero)
        }
        try ReduceGenerator(
          shape: type.shape, reduced: reduced, inputs: [source], output: output, combination: combination,
          body: { scope, values throws(Diagnostic) in
            guard isIntegerMean, scope.build.type(values[0]).scalar != .i64 else { return values[0] }
            let wide = scope.build.type(values[0]).with(.i64)
            return scope.build.convert(element.isSigned ? .signExtend : .zeroExtend, values[0], to: wide)
          },
          finish: { scope, sum throws(Diagnostic) in
            try finish(sum, count: count, element, scope)
          }
        ).generate(scope)
      }
    }
  }

  func reading(_ number: Int) -> OperandReading { .strides }

  private var combined: Combination.Function {
    switch function {
    case .sum, .mean: .sum
    case .max: .maximum
    case .min: .minimum
    case .prod: .product
    }
  }

  private func finish(
    _ sum: LoopValue, count: Dim, _ element: ElementType, _ scope: KernelScope
  ) throws(Diagnostic) -> LoopValue {
    let build = scope.build
    let type = build.type(sum)
    guard function == .mean else { return scope.rounded(sum, as: element) }
    let number = scope.index(count)
    if element.isFloat {
      let divisor = build.convert(.signedToFloat, number, to: type.with(lanes: 1))
      return scope.rounded(build.div(sum, build.splat(divisor, lanes: type.lanes)), as: element)
    }
    // The check in front keeps this from dividing by zero where it matters; here it only must not trap.
    let divisor = build.splat(build.max(number, build.index(1)), lanes: type.lanes)
    let quotient = build.binary(element == .u64 ? .udiv : .div, sum, divisor)
    let register = type.with(try ElementForm(element).register)
    return scope.rounded(build.convert(.truncate, quotient, to: register), as: element)
  }
}

extension ProgramBuilder {
  /// Allocates a result for a kernel that writes it element by element. Integers of less than a byte are written a
  /// byte each, to be packed afterwards.
  func withElementTarget(
    of result: ValueID, inRows: Bool = false, site: String, _ body: (TensorView) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let type = try tensorType(result)
    let element = try type.elementForCode()
    guard element.bits < 8 else {
      return try body(inRows ? target(for: result) : TensorView(dense: type, try allocate(for: result)))
    }
    guard !element.isFloat else { throw .unsupported("\(element.rawValue) results have no code yet") }
    try withMoveTarget(of: result, site: site, body)
  }
}

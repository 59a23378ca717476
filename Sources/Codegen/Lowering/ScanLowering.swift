import IR
import Support

extension Scan: OpLowering {
  /// A loop whose trip count is known before it starts. Slices are copied, for a buffer has no place inside of another.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let function = program.function
    let operation = function[op]
    let region = operation.regions[0]
    let (arguments, yields) = (function[region].arguments, function[region].yields)
    let operands = operation.operands.compactMap { $0 }
    let site = program.site(op)
    let extent = try extent(operands, program)

    let condition = try program.allocate(TensorType(.bool, []), "condition")
    program.append(.storeByte(1, condition))
    let trip = try program.allocate(TensorType(.i64, []), "iterations")
    program.append(.storeIndex(extent, trip, offset: 0))
    for result in operation.results { try program.allocate(for: result) }
    let finals = Array(operation.results.prefix(states))
    try program.copy(Array(operands.prefix(states)), to: finals)

    let counter = program.freshSymbol("iteration")
    func place(_ number: Int, _ backwards: [Int]) -> Dim {
      backwards.contains(number) ? extent - 1 - Dim(symbol: counter) : Dim(symbol: counter)
    }
    let body = try program.collect { () throws(Diagnostic) in
      for (argument, final) in zip(arguments, finals) { program.bind(argument, to: try program.buffer(of: final)) }
      for (number, argument) in arguments.dropFirst(states).enumerated() {
        let operand = operands[states + number]
        let type = try program.tensorType(operand)
        let axis = try axis(number, of: axes, operands.count - states, rank: type.rank)
        let slice = try program.view(of: operand, axis: axis, at: place(number, reversed))
        let element = try program.tensorType(argument)
        let target = try TensorView(dense: element, try program.allocate(for: argument))
        try program.emitCopy(element.shape, from: slice, to: target, site: site)
      }
      try program.lower(region)
      for (number, result) in operation.results.dropFirst(states).enumerated() {
        let type = try program.tensorType(result)
        let axis = try axis(number, of: outputAxes, operation.results.count - states, rank: type.rank)
        let slice = try program.view(of: result, axis: axis, at: place(number, outputReversed))
        try program.keep(yields[states + number], in: slice, site: site)
      }
      let targets = try finals.map { value throws(Diagnostic) in try program.buffer(of: value) }
      try program.moveCarried(Array(yields.prefix(states)), to: targets)
    }
    program.append(.loop(counter: counter, trip: trip, condition: condition, growing: [], body: body))
  }

  /// How many times it runs.
  private func extent(_ operands: [ValueID], _ program: ProgramBuilder) throws(Diagnostic) -> Dim {
    let type = try program.tensorType(operands[states])
    return type.shape[try axis(0, of: axes, operands.count - states, rank: type.rank)]
  }
}

extension ProgramBuilder {
  /// The part of a dense tensor at one place of an axis, without the axis.
  func view(of value: ValueID, axis: Int, at place: Dim) throws(Diagnostic) -> TensorView {
    let type = try tensorType(value)
    var view = try TensorView(dense: type, try buffer(of: value))
    guard view.element.bits >= 8 else { throw .unsupported("walking along an axis of \(type) has no code yet") }
    view.offset = place * view.strides.remove(at: axis)
    return view
  }

  /// Copies what an iteration leaves behind to its place.
  func keep(_ value: ValueID, in place: TensorView, site: String) throws(Diagnostic) {
    let type = try tensorType(value)
    try emitCopy(type.shape, from: try TensorView(dense: type, try buffer(of: value)), to: place, site: site)
  }
}

import IR
import Support

extension If: OpLowering {
  /// Both branches write the same result buffers.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let operation = program.function[op]
    guard let condition = operation.operands[0] else { throw .bug("if without a condition") }
    let conditionBuffer = try program.buffer(of: condition)
    for result in operation.results { try program.allocate(for: result) }
    var branches: [[Step]] = []
    // What both branches bind is bound behind them; neither may count on the other.
    let before = program.boundSymbols
    var boundByAll: Set<String>?
    for region in operation.regions {
      program.boundSymbols = before
      branches.append(
        try program.collect { () throws(Diagnostic) in
          try program.lower(region)
          try program.copy(program.function[region].yields, to: operation.results)
        })
      boundByAll = boundByAll?.intersection(program.boundSymbols) ?? program.boundSymbols
    }
    program.boundSymbols = boundByAll ?? before
    program.append(.ifElse(condition: conditionBuffer, then: branches[0], else: branches[1]))
  }
}

extension Loop: OpLowering {
  /// Carried values live in buffers of their own: copied in before the loop, and from the yields at the end of each
  /// iteration.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    let function = program.function
    let operation = function[op]
    let region = operation.regions[0]
    let arguments = function[region].arguments
    let yields = function[region].yields
    let carried = Array(operation.operands.dropFirst(2)).compactMap { $0 }
    let finals = Array(operation.results.prefix(carried.count))
    let scans = Array(operation.results.dropFirst(carried.count))
    let site = program.site(op)

    let byte = TensorType(.bool, [])
    let condition = try program.allocate(byte, "condition")
    if let given = operation.operands[1] {
      program.append(.copy(from: try program.buffer(of: given), to: condition, bytes: 1))
    } else {
      program.append(.storeByte(1, condition))
    }
    for (final, initial) in zip(finals, carried) {
      let buffer = try program.allocate(for: final)
      let bytes = try program.bytes(of: try program.memoryType(final))
      program.append(.copy(from: try program.buffer(of: initial), to: buffer, bytes: bytes))
    }
    let trip = try operation.operands[0].map { value throws(Diagnostic) in try program.buffer(of: value) }
    let extentSymbol = extent.symbolName.flatMap { program.isBound($0) ? nil : $0 }
    var growing: [GrowingList] = []
    if extentSymbol != nil, !scans.isEmpty, trip == nil || mayEndEarly(operation, function) {
      // Nobody knows how many iterations there will be: the trip count may be nothing but a large number.
      for (number, scan) in scans.enumerated() {
        let element = try program.tensorType(yields[1 + carried.count + number])
        let list = program.addBuffer(
          program.label(scan), bytes: try program.bytes(of: try program.tensorType(scan)), .growing)
        program.bind(scan, to: list)
        growing.append(GrowingList(buffer: list, bytes: try program.bytes(of: element)))
      }
    } else if let extentSymbol, let trip, !scans.isEmpty {
      // What is collected has room for as many iterations as the trip count allows.
      let limit = program.freshSymbol("\(extentSymbol)_limit")
      program.append(.bindSymbol(name: limit, buffer: trip, range: Int.min...Int.max, site: site))
      let room = program.freshSymbol("\(extentSymbol)_room")
      program.append(.setSymbol(name: room, value: Dim.maximum(Dim(symbol: limit), 0)))
      program.bound(extentSymbol, by: Dim(symbol: room))
    }
    if growing.isEmpty { for scan in scans { try program.allocate(for: scan) } }

    let counter = program.freshSymbol("iteration")
    let body = try program.collect { () throws(Diagnostic) in
      let number = try program.allocate(TensorType(.i64, []), "iteration")
      program.append(.storeIndex(Dim(symbol: counter), number, offset: 0))
      program.bind(arguments[0], to: number)
      program.bind(arguments[1], to: condition)
      for (argument, final) in zip(arguments.dropFirst(2), finals) {
        program.bind(argument, to: try program.buffer(of: final))
      }
      try program.lower(region)
      for (number, scan) in scans.enumerated() {
        let slice = try program.view(of: scan, axis: 0, at: Dim(symbol: counter))
        try program.keep(yields[1 + carried.count + number], in: slice, site: site)
      }
      // The condition moves along with the carried values, for it may be one of them, and one of them the condition.
      let targets = try finals.map { value throws(Diagnostic) in try program.buffer(of: value) }
      try program.moveCarried(Array(yields[...carried.count]), to: [condition] + targets)
    }
    program.append(.loop(counter: counter, trip: trip, condition: condition, growing: growing, body: body))
    if let extentSymbol {
      // Through memory, as that is how a symbol gets a value that is checked against its range.
      let count = try program.allocate(TensorType(.i64, []), "iterations")
      program.append(.storeIndex(Dim(symbol: counter), count, offset: 0))
      let range = program.ranges[extentSymbol] ?? Int.min...Int.max
      program.append(.bindSymbol(name: extentSymbol, buffer: count, range: range, site: site))
      program.markBound(extentSymbol)
    } else if !scans.isEmpty {
      program.append(.require(Dim(symbol: counter), equals: extent, site: site))
    }
  }
}

extension Loop {
  /// Whether anything but the trip count ends it.
  private func mayEndEarly(_ operation: Operation, _ function: Function) -> Bool {
    let region = operation.regions[0]
    func isTrue(_ value: ValueID) -> Bool { function[value].fact.elements?.first == 1 }
    let next = function[region].yields[0]
    let starts = operation.operands[1].map(isTrue) ?? true
    return !(starts && (next == function[region].arguments[1] || isTrue(next)))
  }
}

extension ProgramBuilder {
  /// Copies values into the buffers of others.
  func copy(_ values: [ValueID], to targets: [ValueID]) throws(Diagnostic) {
    for (value, target) in zip(values, targets) {
      let bytes = try bytes(of: try memoryType(target))
      append(.copy(from: try buffer(of: value), to: try buffer(of: target), bytes: bytes))
    }
  }

  /// Copies yields into the carried buffers. A yield that is itself another carried buffer goes through a temporary,
  /// so that values may trade places.
  func moveCarried(_ yields: [ValueID], to targets: [BufferID]) throws(Diagnostic) {
    var sources = try yields.map { value throws(Diagnostic) in try buffer(of: value) }
    for (number, source) in sources.enumerated() {
      let root = root(of: source)
      guard targets.indices.contains(where: { $0 < number && self.root(of: targets[$0]) == root }) else { continue }
      let bytes = buffers[targets[number].number].bytes
      let temporary = addBuffer("carried", bytes: bytes, .workspace)
      append(.copy(from: source, to: temporary, bytes: bytes))
      sources[number] = temporary
    }
    // Temporaries were filled before anything is overwritten: all copies to them come first.
    for (number, source) in sources.enumerated() where root(of: source) != root(of: targets[number]) {
      append(.copy(from: source, to: targets[number], bytes: buffers[targets[number].number].bytes))
    }
  }
}

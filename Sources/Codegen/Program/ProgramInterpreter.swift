import IR
import Support

/// Runs a scheduled program step by step: the meaning of the scheduled phase.
///
/// Buffers lie where the memory plan puts them, in one workspace that starts out
/// as garbage, so that a wrong plan shows as a wrong result. Kernels run through
/// `KernelInterpreter`, once for each thread that a dispatch uses, one after the
/// other. States live on from run to run.
public final class ProgramInterpreter {
  public let program: Program
  /// The most threads a dispatch is split over.
  public var threads: Int
  /// Splits dispatches over all threads even where their work is too little to pay.
  public var splitsSmallWork = false
  let weights: [UInt8]
  var states: [UInt8]
  /// Runs a kernel by name on buffers, scalars, thread and threads; nil interprets it.
  public typealias KernelRunner = (String, inout [[UInt8]], [Int], Int, Int) throws(Diagnostic) -> Int
  /// Compiled kernels in place of interpreted ones.
  public var runner: KernelRunner?
  private let hasFMA: Bool
  private var kernels: [String: KernelInterpreter] = [:]

  public init(_ program: Program, threads: Int = 1, hasFMA: Bool = true) throws(Diagnostic) {
    self.program = program
    self.threads = threads
    self.hasFMA = hasFMA
    var weights = [UInt8](repeating: 0, count: program.weightBytes)
    for weight in program.weights {
      let bytes = weight.content().bytes
      guard bytes.count == weight.bytes, weight.offset + weight.bytes <= weights.count else {
        throw .bug("the weight @\(weight.name) does not fit its place")
      }
      weights.replaceSubrange(weight.offset..<weight.offset + weight.bytes, with: bytes)
    }
    self.weights = weights
    var states = [UInt8](repeating: 0, count: program.stateBytes)
    for state in program.states {
      guard let initial = state.initial else { continue }
      guard let weight = program.weights.first(where: { $0.name == initial }), weight.bytes == state.bytes
      else { throw .bug("the state @\(state.name) has no initial value") }
      let value = weights[weight.offset..<weight.offset + weight.bytes]
      states.replaceSubrange(state.offset..<state.offset + state.bytes, with: value)
    }
    self.states = states
  }

  public func run(_ name: String, _ inputs: [Tensor]) throws(Diagnostic) -> [Tensor] {
    var tensors: [Tensor] = []
    for value in try run(name, values: inputs.map { .tensor($0) }) { tensors.append(try value.expectTensor()) }
    return tensors
  }

  public func run(_ name: String, values inputs: [Value]) throws(Diagnostic) -> [Value] {
    guard let entry = program.entries.first(where: { $0.name == name }) else {
      throw .usage("there is no entry \(name)")
    }
    guard inputs.count == entry.inputs.count else {
      throw .invalid("entry \(name) takes \(entry.inputs.count) inputs, not \(inputs.count)")
    }
    let symbols = try bind(entry, inputs)
    let objects = InterpreterObjects()
    let bytes = zip(entry.inputs, inputs).map { objects.memory(of: $1, at: $0) }
    let memory = try ProgramMemory(entry, inputs: bytes, symbols: symbols, self)
    let run = ProgramRun(entry: entry, memory: memory, objects: objects, inputs: inputs, interpreter: self)
    try run.perform(entry.body)
    states = memory.states
    var outputs: [Value] = []
    for (number, port) in entry.outputs.enumerated() {
      var shape: [Int] = []
      for dim in port.shape { shape.append(try memory.value(dim)) }
      var bytes = run.delivered[number] ?? []
      if run.delivered[number] == nil { bytes = try memory.bytes(of: port.buffer) }
      outputs.append(try objects.value(of: port, shape, bytes))
    }
    return outputs
  }

  /// The symbols that the inputs' shapes tell.
  private func bind(_ entry: ProgramEntry, _ inputs: [Value]) throws(Diagnostic) -> [String: Int] {
    for (port, input) in zip(entry.inputs, inputs) {
      guard let type = port.value.tensor else { continue }
      let input = try input.expectTensor()
      guard type.rank == input.shape.count, type.element.storage == input.storage else {
        throw .invalid("input \"\(port.name)\" is \(input.type), expected \(type)")
      }
    }
    let equations = SymbolEquations(entry.inputs.map(\.shape))
    let symbols = try equations.solve(inputs.map { $0.tensor?.shape ?? [] }) { "input \"\(entry.inputs[$0].name)\"" }
    for (port, input) in zip(entry.inputs, inputs) {
      for (dim, extent) in zip(port.shape, input.tensor?.shape ?? []) where dim.evaluate(symbols) != extent {
        throw .invalid("input \"\(port.name)\" is \(input.tensor?.shape ?? []), expected \(port.value)")
      }
    }
    for symbol in entry.symbols {
      if let value = symbols[symbol.name], !symbol.range.contains(value) {
        throw .invalid("\(symbol.name) is \(value), outside of \(symbol.range)")
      }
    }
    return symbols
  }

  func run(
    kernel name: String, _ buffers: inout [[UInt8]], _ scalars: [Int], thread: Int, threads: Int
  ) throws(Diagnostic) -> Int {
    if let runner { return try runner(name, &buffers, scalars, thread, threads) }
    return try kernel(name).run(&buffers, scalars: scalars, thread: thread, threads: threads)
  }

  private func kernel(_ name: String) throws(Diagnostic) -> KernelInterpreter {
    if let known = kernels[name] { return known }
    guard let kernel = program.kernels.first(where: { $0.name == name }) else {
      throw .bug("there is no kernel \(name)")
    }
    let made = try KernelInterpreter(kernel, hasFMA: hasFMA)
    kernels[name] = made
    return made
  }

  /// The parameters of a kernel, for checks that its interpreter cannot make.
  func parameters(of name: String) -> [BufferParameter] { program.kernels.first { $0.name == name }?.buffers ?? [] }
}

/// One run of an entry: control flow and dispatches.
private final class ProgramRun {
  let entry: ProgramEntry
  let memory: ProgramMemory
  let objects: InterpreterObjects
  let inputs: [Value]
  let interpreter: ProgramInterpreter
  /// Outputs that stay in the workspace.
  private(set) var delivered: [Int: [UInt8]] = [:]

  /// Iterations a loop may take: hostile trip counts must end.
  private static let iterationLimit = 1 << 20

  init(
    entry: ProgramEntry, memory: ProgramMemory, objects: InterpreterObjects, inputs: [Value],
    interpreter: ProgramInterpreter
  ) {
    self.entry = entry
    self.memory = memory
    self.objects = objects
    self.inputs = inputs
    self.interpreter = interpreter
  }

  func perform(_ steps: [Step]) throws(Diagnostic) {
    for step in steps { try perform(step) }
  }

  private func perform(_ step: Step) throws(Diagnostic) {
    switch step {
    case .dispatch(let dispatch): try perform(dispatch)
    case .call(let call): try perform(call)
    case .bindSymbol(let name, let buffer, let range, let site):
      let value = try memory.integer(buffer)
      guard range.contains(value) else {
        throw .invalid(
          "\(name) is \(value), outside of \(range.lowerBound)...\(range.upperBound)", at: Location(path: site))
      }
      memory.symbols[name] = value
    case .setSymbol(let name, let value): memory.symbols[name] = try memory.value(value)
    case .require(let dim, let expected, let site):
      let (a, b) = (try memory.value(dim), try memory.value(expected))
      guard a == b else { throw .invalid("\(dim) is \(a), but \(expected) is \(b)", at: Location(path: site)) }
    case .copy(let from, let to, let bytes):
      let count = try memory.value(bytes)
      try memory.write(Array(try memory.bytes(of: from, atLeast: count).prefix(count)), to: to, offset: 0)
    case .fill(let buffer, let bytes):
      try memory.write([UInt8](repeating: 0, count: try memory.value(bytes)), to: buffer, offset: 0)
    case .storeIndex(let dim, let buffer, let offset):
      let value = try memory.value(dim)
      try memory.write((0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }, to: buffer, offset: offset)
    case .storeByte(let value, let buffer):
      try memory.write([UInt8(truncatingIfNeeded: value)], to: buffer, offset: 0)
    case .deliver(let output, let from, _): delivered[output] = try memory.bytes(of: from)
    case .ifElse(let condition, let then, let otherwise):
      try perform(try memory.bytes(of: condition, atLeast: 1)[0] != 0 ? then : otherwise)
    case .loop(let counter, let trip, let condition, let growing, let body):
      for list in growing { try memory.setLength(of: list.buffer, to: 0) }
      let limit = try trip.map { buffer throws(Diagnostic) in try memory.integer(buffer) } ?? Int.max
      var iteration = 0
      while iteration < limit, try memory.bytes(of: condition, atLeast: 1)[0] != 0 {
        guard iteration < ProgramRun.iterationLimit else { throw .invalid("a loop takes too many iterations") }
        memory.symbols[counter] = iteration
        for list in growing {
          try memory.setLength(of: list.buffer, to: try memory.value(list.bytes * (iteration + 1)))
        }
        try perform(body)
        iteration += 1
      }
      memory.symbols[counter] = iteration
    }
  }

  private func perform(_ call: RuntimeCall) throws(Diagnostic) {
    var buffers: [[UInt8]] = []
    for use in call.buffers { buffers.append(try memory.bytes(of: use.buffer)) }
    var scalars: [Int] = []
    for dim in call.scalars { scalars.append(try memory.value(dim)) }
    do throws(Diagnostic) {
      try objects.perform(call.function, &buffers, scalars, inputs)
    } catch { throw error.located(Location(path: call.site)) }
    for (use, bytes) in zip(call.buffers, buffers) where use.access != .read {
      try memory.write(bytes, to: use.buffer, offset: 0)
    }
  }

  private func perform(_ dispatch: Dispatch) throws(Diagnostic) {
    let parameters = interpreter.parameters(of: dispatch.kernel)
    guard parameters.count == dispatch.buffers.count else { throw .bug("\(dispatch.kernel) takes other buffers") }
    var buffers: [[UInt8]] = []
    for (use, parameter) in zip(dispatch.buffers, parameters) {
      guard use.access == parameter.access else { throw .bug("\(dispatch.kernel) accesses a buffer otherwise") }
      try memory.checkAlignment(of: use.buffer, parameter.alignment)
      buffers.append(try memory.bytes(of: use.buffer))
    }
    try checkOverlaps(dispatch)
    let before = buffers
    var scalars: [Int] = []
    for dim in dispatch.scalars { scalars.append(try memory.value(dim)) }
    let isSplit = interpreter.splitsSmallWork && dispatch.parallelism.constant == nil
    let useful = isSplit ? interpreter.threads : try memory.value(dispatch.parallelism)
    let threads = max(1, min(interpreter.threads, useful))
    for thread in 0..<threads {
      let status = try interpreter.run(
        kernel: dispatch.kernel, &buffers, scalars, thread: thread, threads: threads)
      guard status == 0 else {
        throw .invalid("kernel @\(dispatch.kernel) fails with status \(status)", at: Location(path: dispatch.site))
      }
    }
    for (number, use) in dispatch.buffers.enumerated() where use.access != .read {
      try memory.replace(use.buffer, before[number], with: buffers[number])
    }
  }

  /// What a kernel writes must not lie over anything else it uses.
  private func checkOverlaps(_ dispatch: Dispatch) throws(Diagnostic) {
    for (number, use) in dispatch.buffers.enumerated() where use.access != .read {
      for (other, reader) in dispatch.buffers.enumerated() where other != number {
        if try memory.overlap(use.buffer, reader.buffer) {
          let labels = [use, reader].map { entry.buffers[$0.buffer.number].label }
          throw .bug("the buffers \(labels[0]) and \(labels[1]) overlap", at: Location(path: dispatch.site))
        }
      }
    }
  }
}

import Support

/// Runs kernels slowly and says exactly what goes wrong: the meaning of loop IR.
///
/// Every access is checked against its buffer, every divisor against zero, every
/// alignment claim against the offset. A kernel becomes a list of closures over a
/// file of 64-bit registers, one for each lane of each value.
public struct KernelInterpreter {
  /// The steps that a run may take unless told otherwise: seconds, not hours.
  public static let defaultStepLimit = 1 << 32

  private let kernel: Kernel
  private let program: [InterpreterStep]
  private let registerCount: Int

  /// `hasFMA` off rounds the product too, as code for machines without the instruction does.
  public init(_ kernel: Kernel, hasFMA: Bool = true) throws(Diagnostic) {
    try kernel.verify()
    self.kernel = kernel
    let compiler = InterpreterCompiler(kernel, hasFMA: hasFMA)
    program = compiler.block(kernel.body)
    registerCount = compiler.registerCount
  }

  /// Returns the kernel's status: zero, or that of the check that failed.
  public func run(
    _ buffers: inout [[UInt8]], scalars: [Int] = [], thread: Int = 0, threads: Int = 1,
    stepLimit: Int = KernelInterpreter.defaultStepLimit
  ) throws(Diagnostic) -> Int {
    guard buffers.count == kernel.buffers.count, scalars.count == kernel.scalars.count else {
      throw .usage(
        "kernel @\(kernel.name) takes \(kernel.buffers.count) buffers and \(kernel.scalars.count) scalars")
    }
    for (bytes, buffer) in zip(buffers, kernel.buffers) {
      if let elements = buffer.elements, elements > bytes.count / buffer.scalar.bytes {
        throw .usage("kernel @\(kernel.name): \(buffer.name) has less than its \(elements) elements")
      }
    }
    let machine = InterpreterMachine(
      kernel, buffers, registerCount: registerCount, scalars: scalars, thread: thread, threads: threads,
      stepLimit: stepLimit)
    try machine.run(program)
    for number in buffers.indices { buffers[number] = machine.contents(number) }
    return machine.status
  }
}

typealias InterpreterStep = (InterpreterMachine) throws(Diagnostic) -> Void

/// Registers and memory of one run.
final class InterpreterMachine {
  let registers: UnsafeMutablePointer<UInt64>
  /// Buffers, then local arrays.
  let memory: [UnsafeMutableRawBufferPointer]
  let scalars: [Int]
  let thread: Int
  let threads: Int
  let name: String
  var status = 0
  private var stepsLeft: Int

  /// What a local array holds before anything is stored: a pattern that makes misuse differ from zero.
  private static let garbage: UInt8 = 0xa5

  init(
    _ kernel: Kernel, _ buffers: [[UInt8]], registerCount: Int, scalars: [Int], thread: Int, threads: Int,
    stepLimit: Int
  ) {
    registers = UnsafeMutablePointer<UInt64>.allocate(capacity: max(1, registerCount))
    registers.initialize(repeating: 0, count: max(1, registerCount))
    var memory: [UnsafeMutableRawBufferPointer] = []
    for bytes in buffers {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
      copy.copyBytes(from: bytes)
      memory.append(copy)
    }
    for local in kernel.locals {
      let array = UnsafeMutableRawBufferPointer.allocate(byteCount: local.count * local.scalar.bytes, alignment: 64)
      for place in array.indices { array[place] = InterpreterMachine.garbage }
      memory.append(array)
    }
    self.memory = memory
    self.scalars = scalars
    self.thread = thread
    self.threads = threads
    name = kernel.name
    stepsLeft = stepLimit
  }

  deinit {
    registers.deallocate()
    for buffer in memory { buffer.deallocate() }
  }

  func contents(_ buffer: Int) -> [UInt8] { Array(memory[buffer]) }

  func run(_ block: [InterpreterStep]) throws(Diagnostic) {
    stepsLeft -= block.count + 1
    if stepsLeft < 0 { throw .invalid("kernel @\(name) takes more steps than it is allowed") }
    for step in block {
      try step(self)
      if status != 0 { return }
    }
  }

  func index(_ register: Int) -> Int { Int(Int64(bitPattern: registers[register])) }

  func copy(_ from: [(from: Int, to: Int, lanes: Int)]) {
    // All are read before any is written: a loop may yield its carried values in another order.
    var saved: [UInt64] = []
    for move in from {
      for lane in 0..<move.lanes { saved.append(registers[move.from + lane]) }
    }
    var next = 0
    for move in from {
      for lane in 0..<move.lanes {
        registers[move.to + lane] = saved[next]
        next += 1
      }
    }
  }
}

/// Turns statements into steps.
final class InterpreterCompiler {
  let kernel: Kernel
  let hasFMA: Bool
  private var offsets: [Int] = []
  private(set) var registerCount = 0

  init(_ kernel: Kernel, hasFMA: Bool) {
    self.kernel = kernel
    self.hasFMA = hasFMA
    for type in kernel.types {
      offsets.append(registerCount)
      registerCount += type.lanes
    }
  }

  /// The first register of a value.
  func register(_ value: LoopValue) -> Int { offsets[value.id] }

  func block(_ statements: [Statement]) -> [InterpreterStep] {
    var steps: [InterpreterStep] = []
    steps.reserveCapacity(statements.count)
    for statement in statements { steps.append(step(statement)) }
    return steps
  }

  private func moves(_ from: [LoopValue], _ to: [LoopValue]) -> [(from: Int, to: Int, lanes: Int)] {
    zip(from, to).map { (register($0), register($1), kernel[$0].lanes) }
  }

  private func step(_ statement: Statement) -> InterpreterStep {
    switch statement {
    case .define(let value, let operation): return define(value, operation, statement)
    case .store(let value, let address, let mask, let alignment):
      return access(.store, value, address, mask, alignment, statement)
    case .scatter(let value, let address, let indices, let mask):
      return accessEach(.store, value, address, indices, mask, statement)
    case .prefetch: return { _ in }
    case .check(let condition, let status):
      let truth = register(condition)
      return { machine in
        if machine.registers[truth] == 0 { machine.status = status }
      }
    case .forLoop(let loop): return forLoop(loop)
    case .whileLoop(let loop): return whileLoop(loop)
    case .ifElse(let branch): return ifElse(branch)
    }
  }

  private func forLoop(_ loop: ForLoop) -> InterpreterStep {
    let body = block(loop.body)
    let enter = moves(loop.initial, loop.carried)
    let again = moves(loop.yields, loop.carried)
    let leave = moves(loop.carried, loop.results)
    let (lower, upper, induction) = (register(loop.lower), register(loop.upper), register(loop.induction))
    let step = loop.step
    return { machine throws(Diagnostic) in
      machine.copy(enter)
      var number = machine.index(lower)
      let end = machine.index(upper)
      while number < end {
        machine.registers[induction] = UInt64(bitPattern: Int64(number))
        try machine.run(body)
        if machine.status != 0 { return }
        machine.copy(again)
        let (next, overflow) = number.addingReportingOverflow(step)
        if overflow { throw .invalid("kernel @\(machine.name): a loop counts beyond 64 bits") }
        number = next
      }
      machine.copy(leave)
    }
  }

  private func whileLoop(_ loop: WhileLoop) -> InterpreterStep {
    let test = block(loop.conditionBody)
    let body = block(loop.body)
    let enter = moves(loop.initial, loop.carried)
    let again = moves(loop.yields, loop.carried)
    let leave = moves(loop.carried, loop.results)
    let condition = register(loop.condition)
    return { machine throws(Diagnostic) in
      machine.copy(enter)
      while true {
        try machine.run(test)
        if machine.status != 0 { return }
        if machine.registers[condition] == 0 { break }
        try machine.run(body)
        if machine.status != 0 { return }
        machine.copy(again)
      }
      machine.copy(leave)
    }
  }

  private func ifElse(_ branch: IfElse) -> InterpreterStep {
    let yes = block(branch.thenBody)
    let no = block(branch.elseBody)
    let yesMoves = moves(branch.thenYields, branch.results)
    let noMoves = moves(branch.elseYields, branch.results)
    let condition = register(branch.condition)
    return { machine throws(Diagnostic) in
      let holds = machine.registers[condition] != 0
      try machine.run(holds ? yes : no)
      if machine.status == 0 { machine.copy(holds ? yesMoves : noMoves) }
    }
  }
}

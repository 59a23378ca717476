import Support

extension Kernel {
  /// Throws what is wrong with the kernel first: types, order of definition, access
  /// rights, alignment, and accesses that are out of bounds whatever the input.
  public func verify() throws(Diagnostic) {
    var verifier = KernelVerifier(self)
    try verifier.verify()
  }
}

struct KernelVerifier {
  static let maximumLanes = 1024
  /// Threads of an artifact have small stacks.
  static let maximumLocalBytes = 1 << 20

  let kernel: Kernel
  private var visible: [Bool]
  private var defined: [Bool]
  /// Index values that are known, to prove accesses wrong.
  var constants: [LoopValue: Int] = [:]

  init(_ kernel: Kernel) {
    self.kernel = kernel
    visible = Array(repeating: false, count: kernel.types.count)
    defined = visible
  }

  func fail(_ message: String, _ statement: Statement? = nil) -> Diagnostic {
    let place = statement.map { ": " + KernelPrinter(kernel).text(of: $0) } ?? ""
    return .invalid(message, at: Location(path: "kernel @\(kernel.name)" + place))
  }

  mutating func verify() throws(Diagnostic) {
    try verifyNames()
    for type in kernel.types where type.lanes < 1 || type.lanes > KernelVerifier.maximumLanes {
      throw fail("a value has \(type.lanes) lanes")
    }
    for buffer in kernel.buffers {
      guard KernelVerifier.isPowerOfTwo(buffer.alignment) else {
        throw fail("buffer \(buffer.name) is aligned to \(buffer.alignment), no power of two")
      }
      if let elements = buffer.elements, elements < 0 { throw fail("buffer \(buffer.name) has \(elements) elements") }
    }
    var localBytes = 0
    for local in kernel.locals {
      guard KernelVerifier.isPowerOfTwo(local.alignment), local.alignment <= 4096 else {
        throw fail("array \(local.name) is aligned to \(local.alignment), no power of two up to 4096")
      }
      guard local.count > 0, local.count <= KernelVerifier.maximumLocalBytes else {
        throw fail("array \(local.name) has \(local.count) elements")
      }
      localBytes += local.count * local.scalar.bytes
      guard localBytes <= KernelVerifier.maximumLocalBytes else { throw fail("arrays take over a megabyte of stack") }
    }
    try verify(kernel.body)
  }

  private func verifyNames() throws(Diagnostic) {
    guard KernelLexer.isName(kernel.name) else { throw fail("the kernel's name is no name") }
    var seen: Set<String> = []
    let names = kernel.buffers.map(\.name) + kernel.scalars.map(\.name) + kernel.locals.map(\.name)
    for name in names {
      guard KernelLexer.isName(name) else { throw fail("'\(name)' is no name") }
      guard seen.insert(name).inserted else { throw fail("two things are called '\(name)'") }
    }
  }

  static func isPowerOfTwo(_ value: Int) -> Bool { value > 0 && value & (value - 1) == 0 }

  // MARK: Values

  private func use(_ value: LoopValue, _ statement: Statement) throws(Diagnostic) {
    guard visible.indices.contains(value.id), visible[value.id] else {
      throw fail("%\(value.id) is not defined here", statement)
    }
  }

  private func use(_ values: [LoopValue], _ statement: Statement) throws(Diagnostic) {
    for value in values { try use(value, statement) }
  }

  private mutating func define(_ value: LoopValue, _ statement: Statement) throws(Diagnostic) {
    guard defined.indices.contains(value.id) else { throw fail("%\(value.id) has no type", statement) }
    guard !defined[value.id] else { throw fail("%\(value.id) is defined twice", statement) }
    defined[value.id] = true
    visible[value.id] = true
  }

  func expect(_ value: LoopValue, _ type: LoopType, _ statement: Statement) throws(Diagnostic) {
    guard kernel[value] == type else {
      throw fail("%\(value.id) is \(kernel[value]), expected \(type)", statement)
    }
  }

  // MARK: Statements

  /// Checks a block; what it defines is out of sight afterwards.
  private mutating func verifyScope(
    _ statements: [Statement], _ yields: [LoopValue], _ owner: Statement
  ) throws(Diagnostic) {
    let outside = visible
    try verify(statements)
    try use(yields, owner)
    visible = outside
  }

  private mutating func verify(_ statements: [Statement]) throws(Diagnostic) {
    for statement in statements { try verify(statement) }
  }

  private mutating func verify(_ statement: Statement) throws(Diagnostic) {
    switch statement {
    case .define(let value, let operation):
      try use(operation.operands, statement)
      try define(value, statement)
      try verify(operation, kernel[value], statement)
      if case .integer(let number) = operation, kernel[value] == .index { constants[value] = number }
    case .store(let value, let address, let mask, let alignment):
      try use([value] + (address.index.map { [$0] } ?? []) + (mask.map { [$0] } ?? []), statement)
      try verifyAccess(address, kernel[value], mask, alignment, writes: true, statement)
    case .scatter(let value, let address, let indices, let mask):
      try use([value, indices] + (address.index.map { [$0] } ?? []) + (mask.map { [$0] } ?? []), statement)
      try verifyIndexed(address, kernel[value], indices, mask, writes: true, statement)
    case .prefetch(let address, _):
      try use(address.index.map { [$0] } ?? [], statement)
      try verifyPlace(address, statement)
    case .check(let condition, let status):
      try use(condition, statement)
      try expect(condition, .bool, statement)
      guard status != 0, Int32(exactly: status) != nil else { throw fail("a status is 32 bits, not zero", statement) }
    case .forLoop(let loop): try verify(loop, statement)
    case .whileLoop(let loop): try verify(loop, statement)
    case .ifElse(let branch):
      try use(branch.condition, statement)
      try expect(branch.condition, .bool, statement)
      try verifyScope(branch.thenBody, branch.thenYields, statement)
      try verifyScope(branch.elseBody, branch.elseYields, statement)
      try sameTypes(branch.thenYields, branch.elseYields, statement)
      try sameTypes(branch.thenYields, branch.results, defining: true, statement)
    }
  }

  private mutating func verify(_ loop: ForLoop, _ statement: Statement) throws(Diagnostic) {
    try use([loop.lower, loop.upper] + loop.initial, statement)
    try expect(loop.lower, .index, statement)
    try expect(loop.upper, .index, statement)
    guard loop.step > 0 else { throw fail("the step is \(loop.step)", statement) }
    let outside = visible
    try define(loop.induction, statement)
    try expect(loop.induction, .index, statement)
    try sameTypes(loop.initial, loop.carried, defining: true, statement)
    try verifyScope(loop.body, loop.yields, statement)
    try sameTypes(loop.carried, loop.yields, statement)
    visible = outside
    try sameTypes(loop.initial, loop.results, defining: true, statement)
  }

  private mutating func verify(_ loop: WhileLoop, _ statement: Statement) throws(Diagnostic) {
    try use(loop.initial, statement)
    let outside = visible
    try sameTypes(loop.initial, loop.carried, defining: true, statement)
    try verify(loop.conditionBody)
    try use(loop.condition, statement)
    try expect(loop.condition, .bool, statement)
    try verifyScope(loop.body, loop.yields, statement)
    try sameTypes(loop.carried, loop.yields, statement)
    visible = outside
    try sameTypes(loop.initial, loop.results, defining: true, statement)
  }

  /// Both lists pair up; with `defining`, the second is defined here.
  private mutating func sameTypes(
    _ first: [LoopValue], _ second: [LoopValue], defining: Bool = false, _ statement: Statement
  ) throws(Diagnostic) {
    guard first.count == second.count else {
      throw fail("\(first.count) values do not pair with \(second.count)", statement)
    }
    for (a, b) in zip(first, second) {
      if defining { try define(b, statement) }
      try expect(b, kernel[a], statement)
    }
  }
}

/// Operands of operations and statements, and renaming them: one place that knows where values sit.
extension LoopOperation {
  /// The same operation on other values.
  public func mapValues(_ rename: (LoopValue) -> LoopValue) -> LoopOperation {
    switch self {
    case .integer, .float, .scalar, .thread, .threads, .iota: self
    case .unary(let operation, let a): .unary(operation, rename(a))
    case .binary(let operation, let a, let b): .binary(operation, rename(a), rename(b))
    case .compare(let comparison, let a, let b): .compare(comparison, rename(a), rename(b))
    case .select(let condition, let a, let b): .select(rename(condition), rename(a), rename(b))
    case .fma(let a, let b, let c): .fma(rename(a), rename(b), rename(c))
    case .convert(let conversion, let a): .convert(conversion, rename(a))
    case .splat(let a): .splat(rename(a))
    case .extract(let a, let lane): .extract(rename(a), lane: lane)
    case .insert(let a, let b, let lane): .insert(rename(a), rename(b), lane: lane)
    case .shuffle(let a, let b, let lanes): .shuffle(rename(a), rename(b), lanes: lanes)
    case .reduce(let operation, let a): .reduce(operation, rename(a))
    case .load(let address, let mask, let alignment):
      .load(address.mapValues(rename), mask: mask.map(rename), alignment: alignment)
    case .gather(let address, let indices, let mask):
      .gather(address.mapValues(rename), indices: rename(indices), mask: mask.map(rename))
    case .dot4(let accumulator, let unsigned, let signed):
      .dot4(accumulator: rename(accumulator), unsigned: rename(unsigned), signed: rename(signed))
    }
  }

  /// The values that the operation reads.
  public var operands: [LoopValue] {
    var result: [LoopValue] = []
    _ = mapValues {
      result.append($0)
      return $0
    }
    return result
  }
}

extension Address {
  public func mapValues(_ rename: (LoopValue) -> LoopValue) -> Address {
    Address(buffer, index.map(rename), offset: offset)
  }
}

extension Kernel {
  public func buffer(named name: String) -> BufferReference? {
    if let number = buffers.firstIndex(where: { $0.name == name }) { return .parameter(number) }
    if let number = locals.firstIndex(where: { $0.name == name }) { return .local(number) }
    return nil
  }

  public func name(of buffer: BufferReference) -> String {
    switch buffer {
    case .parameter(let number): buffers.indices.contains(number) ? buffers[number].name : "?\(number)"
    case .local(let number): locals.indices.contains(number) ? locals[number].name : "?\(number)"
    }
  }

  public func scalar(of buffer: BufferReference) -> LoopScalar? {
    switch buffer {
    case .parameter(let number): buffers.indices.contains(number) ? buffers[number].scalar : nil
    case .local(let number): locals.indices.contains(number) ? locals[number].scalar : nil
    }
  }

  /// The same kernel with values numbered in the order of the text, and none that nothing defines.
  public func canonical() -> Kernel {
    var renumbering = Renumbering(kernel: self)
    var result = self
    result.body = renumbering.rewrite(body)
    result.types = renumbering.types
    return result
  }
}

private struct Renumbering {
  let kernel: Kernel
  var types: [LoopType] = []
  private var numbers: [LoopValue: LoopValue] = [:]

  init(kernel: Kernel) { self.kernel = kernel }

  /// A value that nothing has defined keeps its number, for the verifier to complain about.
  private func use(_ value: LoopValue) -> LoopValue { numbers[value] ?? value }

  private mutating func define(_ value: LoopValue) -> LoopValue {
    types.append(kernel.types.indices.contains(value.id) ? kernel[value] : .index)
    let number = LoopValue(id: types.count - 1)
    numbers[value] = number
    return number
  }

  mutating func rewrite(_ statements: [Statement]) -> [Statement] {
    var result: [Statement] = []
    result.reserveCapacity(statements.count)
    for statement in statements { result.append(rewrite(statement)) }
    return result
  }

  private mutating func rewrite(_ statement: Statement) -> Statement {
    switch statement {
    case .define(let value, let operation):
      let renamed = operation.mapValues { use($0) }
      return .define(define(value), renamed)
    case .store(let value, let address, let mask, let alignment):
      return .store(use(value), address.mapValues { use($0) }, mask: mask.map { use($0) }, alignment: alignment)
    case .scatter(let value, let address, let indices, let mask):
      return .scatter(
        use(value), address.mapValues { use($0) }, indices: use(indices), mask: mask.map { use($0) })
    case .prefetch(let address, let write): return .prefetch(address.mapValues { use($0) }, write: write)
    case .check(let condition, let status): return .check(use(condition), status: status)
    case .forLoop(var loop):
      loop.lower = use(loop.lower)
      loop.upper = use(loop.upper)
      loop.initial = loop.initial.map { use($0) }
      loop.induction = define(loop.induction)
      loop.carried = define(loop.carried)
      loop.body = rewrite(loop.body)
      loop.yields = loop.yields.map { use($0) }
      loop.results = define(loop.results)
      return .forLoop(loop)
    case .whileLoop(var loop):
      loop.initial = loop.initial.map { use($0) }
      loop.carried = define(loop.carried)
      loop.conditionBody = rewrite(loop.conditionBody)
      loop.condition = use(loop.condition)
      loop.body = rewrite(loop.body)
      loop.yields = loop.yields.map { use($0) }
      loop.results = define(loop.results)
      return .whileLoop(loop)
    case .ifElse(var branch):
      branch.condition = use(branch.condition)
      branch.thenBody = rewrite(branch.thenBody)
      branch.thenYields = branch.thenYields.map { use($0) }
      branch.elseBody = rewrite(branch.elseBody)
      branch.elseYields = branch.elseYields.map { use($0) }
      branch.results = define(branch.results)
      return .ifElse(branch)
    }
  }

  private mutating func define(_ values: [LoopValue]) -> [LoopValue] {
    var result: [LoopValue] = []
    for value in values { result.append(define(value)) }
    return result
  }
}

/// Builds one kernel, statement by statement.
///
/// Generators use nothing else. Integer arithmetic on constants folds on the
/// way in, so that printed kernels read as a person would write them.
public final class KernelBuilder {
  private var kernel: Kernel
  /// Scalar parameters are defined first, wherever they were asked for.
  private var prologue: [Statement] = []
  /// Open statement lists, innermost last.
  private var open: [[Statement]] = [[]]
  private var constants: [LoopValue: Int] = [:]
  private var numbers: Set<LoopValue> = []

  public init(name: String) { kernel = Kernel(name: name) }

  public func type(_ value: LoopValue) -> LoopType { kernel.types[value.id] }

  /// The finished kernel. The builder is spent.
  public func finish() -> Kernel {
    precondition(open.count == 1, "a loop or branch is still open")
    kernel.body = prologue + open[0]
    return kernel
  }

  // MARK: Parameters

  public func buffer(
    _ name: String, _ scalar: LoopScalar, _ access: Access, elements: Int? = nil, alignment: Int? = nil
  ) -> BufferReference {
    kernel.buffers.append(
      BufferParameter(
        name: name, scalar: scalar, access: access, elements: elements, alignment: alignment ?? scalar.bytes))
    return .parameter(kernel.buffers.count - 1)
  }

  public func scalar(_ name: String) -> LoopValue {
    kernel.scalars.append(ScalarParameter(name: name))
    let value = fresh(.index)
    prologue.append(.define(value, .scalar(kernel.scalars.count - 1)))
    return value
  }

  public func local(_ name: String, _ scalar: LoopScalar, count: Int, alignment: Int = 64) -> BufferReference {
    kernel.locals.append(LocalArray(name: name, scalar: scalar, count: count, alignment: alignment))
    return .local(kernel.locals.count - 1)
  }

  public func scalarType(of buffer: BufferReference) -> LoopScalar {
    switch buffer {
    case .parameter(let number): kernel.buffers[number].scalar
    case .local(let number): kernel.locals[number].scalar
    }
  }

  // MARK: Values

  public func define(_ type: LoopType, _ operation: LoopOperation) -> LoopValue {
    let value = fresh(type)
    append(.define(value, operation))
    return value
  }

  public func fresh(_ type: LoopType) -> LoopValue {
    kernel.types.append(type)
    return LoopValue(id: kernel.types.count - 1)
  }

  public func append(_ statement: Statement) { open[open.count - 1].append(statement) }

  public func thread() -> LoopValue { define(.index, .thread) }
  public func threads() -> LoopValue { define(.index, .threads) }

  public func index(_ value: Int) -> LoopValue { integer(value, .index) }

  public func integer(_ value: Int, _ type: LoopType) -> LoopValue {
    let result = define(type, .integer(value))
    if !type.isVector { constants[result] = value }
    return result
  }

  public func float(_ value: Double, _ type: LoopType) -> LoopValue {
    let result = define(type, .float(value))
    if !value.isNaN { numbers.insert(result) }
    return result
  }

  /// From now on `value` is known to be no NaN.
  public func know(number value: LoopValue) { numbers.insert(value) }
  /// Whether a float is known to be no NaN, in all lanes.
  public func isNumber(_ value: LoopValue) -> Bool { numbers.contains(value) }

  /// Zero of any type.
  public func zero(_ type: LoopType) -> LoopValue { type.scalar.isFloat ? float(0, type) : integer(0, type) }

  public func unary(_ operation: UnaryOperation, _ a: LoopValue) -> LoopValue {
    define(type(a), .unary(operation, a))
  }

  public func binary(_ operation: BinaryOperation, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    if let folded = fold(operation, a, b) { return folded }
    return define(type(a), .binary(operation, a, b))
  }

  public func add(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.add, a, b) }
  public func sub(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.sub, a, b) }
  public func mul(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.mul, a, b) }
  public func div(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.div, a, b) }
  public func rem(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.rem, a, b) }
  public func min(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.min, a, b) }
  public func max(_ a: LoopValue, _ b: LoopValue) -> LoopValue { binary(.max, a, b) }
  public func add(_ a: LoopValue, _ b: Int) -> LoopValue { add(a, index(b)) }
  public func mul(_ a: LoopValue, _ b: Int) -> LoopValue { mul(a, index(b)) }

  /// a / b rounded up, for non-negative a and positive constant b.
  public func ceilDiv(_ a: LoopValue, _ b: Int) -> LoopValue { div(add(a, b - 1), index(b)) }

  public func fma(_ a: LoopValue, _ b: LoopValue, _ c: LoopValue) -> LoopValue { define(type(c), .fma(a, b, c)) }

  public func compare(_ comparison: Comparison, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    define(type(a).with(.i1), .compare(comparison, a, b))
  }

  public func select(_ condition: LoopValue, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    define(type(a), .select(condition, a, b))
  }

  public func convert(_ conversion: Conversion, _ a: LoopValue, to type: LoopType) -> LoopValue {
    self.type(a) == type ? a : define(type, .convert(conversion, a))
  }

  public func splat(_ a: LoopValue, lanes: Int) -> LoopValue {
    guard lanes > 1 else { return a }
    let result = define(type(a).with(lanes: lanes), .splat(a))
    if isNumber(a) { numbers.insert(result) }
    return result
  }

  public func iota(_ type: LoopType) -> LoopValue { define(type, .iota) }
  public func extract(_ a: LoopValue, lane: Int) -> LoopValue {
    define(type(a).with(lanes: 1), .extract(a, lane: lane))
  }
  public func shuffle(_ a: LoopValue, _ b: LoopValue, lanes: [Int]) -> LoopValue {
    define(type(a).with(lanes: lanes.count), .shuffle(a, b, lanes: lanes))
  }
  public func reduce(_ operation: BinaryOperation, _ a: LoopValue) -> LoopValue {
    type(a).isVector ? define(type(a).with(lanes: 1), .reduce(operation, a)) : a
  }
  public func dot4(_ accumulator: LoopValue, unsigned: LoopValue, signed: LoopValue) -> LoopValue {
    define(type(accumulator), .dot4(accumulator: accumulator, unsigned: unsigned, signed: signed))
  }

  // MARK: Memory

  public func load(_ type: LoopType, _ address: Address, mask: LoopValue? = nil, alignment: Int? = nil) -> LoopValue {
    define(
      type, .load(address, mask: mask, alignment: alignment ?? scalarType(of: address.buffer).bytes))
  }

  public func gather(_ type: LoopType, _ address: Address, indices: LoopValue, mask: LoopValue? = nil) -> LoopValue {
    define(type, .gather(address, indices: indices, mask: mask))
  }

  public func store(_ value: LoopValue, _ address: Address, mask: LoopValue? = nil, alignment: Int? = nil) {
    append(
      .store(value, address, mask: mask, alignment: alignment ?? scalarType(of: address.buffer).bytes))
  }

  public func scatter(_ value: LoopValue, _ address: Address, indices: LoopValue, mask: LoopValue? = nil) {
    append(.scatter(value, address, indices: indices, mask: mask))
  }

  public func prefetch(_ address: Address, write: Bool = false) { append(.prefetch(address, write: write)) }

  public func check(_ condition: LoopValue, status: Int) { append(.check(condition, status: status)) }

  /// The mask of the first `count` of `lanes` lanes, for an index value `count` of at least zero.
  public func prefixMask(_ count: LoopValue, lanes: Int) -> LoopValue {
    // 32-bit lanes: one vector comparison where 64 bits would take two.
    let lane = LoopType(.i32, lanes: lanes)
    let narrow = convert(.truncate, min(count, index(lanes)), to: LoopType(.i32))
    return compare(.lt, iota(lane), splat(narrow, lanes: lanes))
  }

  // MARK: Structure

  /// What `body` appends, as a list of its own: for statements that are put together by hand.
  public func nested(_ body: () -> Void) -> [Statement] {
    open.append([])
    body()
    return open.removeLast()
  }

  /// A loop from `lower` while below `upper`; `body` gets the induction value and
  /// the carried values and returns the next carried ones. A loop that is known
  /// to run exactly once is written straight.
  @discardableResult
  public func forLoop(
    _ lower: LoopValue, _ upper: LoopValue, step: Int = 1, carrying initial: [LoopValue] = [],
    _ body: (LoopValue, [LoopValue]) -> [LoopValue]
  ) -> [LoopValue] {
    if let from = constants[lower], let to = constants[upper] {
      if from >= to { return initial }
      if from + step >= to { return body(lower, initial) }
    }
    let induction = fresh(.index)
    let carried = initial.map { fresh(type($0)) }
    open.append([])
    let yields = body(induction, carried)
    precondition(yields.count == initial.count, "a loop yields what it carries")
    let statements = open.removeLast()
    let results = initial.map { fresh(type($0)) }
    append(
      .forLoop(
        ForLoop(
          induction: induction, lower: lower, upper: upper, step: step, initial: initial, carried: carried,
          body: statements, yields: yields, results: results)))
    return results
  }

  /// A loop without carried values.
  public func forEach(_ lower: LoopValue, _ upper: LoopValue, step: Int = 1, _ body: (LoopValue) -> Void) {
    forLoop(lower, upper, step: step) { induction, _ in
      body(induction)
      return []
    }
  }

  @discardableResult
  public func whileLoop(
    carrying initial: [LoopValue], condition: ([LoopValue]) -> LoopValue, _ body: ([LoopValue]) -> [LoopValue]
  ) -> [LoopValue] {
    let carried = initial.map { fresh(type($0)) }
    open.append([])
    let test = condition(carried)
    let conditionBody = open.removeLast()
    open.append([])
    let yields = body(carried)
    let statements = open.removeLast()
    let results = initial.map { fresh(type($0)) }
    append(
      .whileLoop(
        WhileLoop(
          initial: initial, carried: carried, conditionBody: conditionBody, condition: test, body: statements,
          yields: yields, results: results)))
    return results
  }

  @discardableResult
  public func ifElse(
    _ condition: LoopValue, then thenBody: () -> [LoopValue], else elseBody: () -> [LoopValue] = { [] }
  ) -> [LoopValue] {
    if let known = constants[condition] { return known != 0 ? thenBody() : elseBody() }
    open.append([])
    let thenYields = thenBody()
    let thenStatements = open.removeLast()
    open.append([])
    let elseYields = elseBody()
    let elseStatements = open.removeLast()
    precondition(thenYields.count == elseYields.count, "both branches yield alike")
    let results = thenYields.map { fresh(type($0)) }
    append(
      .ifElse(
        IfElse(
          condition: condition, thenBody: thenStatements, thenYields: thenYields, elseBody: elseStatements,
          elseYields: elseYields, results: results)))
    return results
  }

  // MARK: Folding

  private func fold(_ operation: BinaryOperation, _ a: LoopValue, _ b: LoopValue) -> LoopValue? {
    guard type(a) == .index else { return nil }
    switch (constants[a], constants[b]) {
    case (let x?, let y?):
      switch operation {
      case .add: return index(x &+ y)
      case .sub: return index(x &- y)
      case .mul: return index(x &* y)
      case .div where y != 0: return index(x / y)
      case .rem where y != 0: return index(x % y)
      case .min: return index(Swift.min(x, y))
      case .max: return index(Swift.max(x, y))
      default: return nil
      }
    case (0?, nil):
      if operation == .add { return b }
      if operation == .mul { return a }
    case (1?, nil) where operation == .mul: return b
    case (nil, 0?):
      if operation == .add || operation == .sub { return a }
      if operation == .mul { return b }
    case (nil, 1?) where operation == .mul || operation == .div: return a
    default: break
    }
    return nil
  }
}

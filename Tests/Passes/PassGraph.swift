import IR
import Support
import TestSupport

/// A random module with one entry, dense in what passes look for: transposes that almost cancel, reshapes, constants,
/// shape arithmetic, repeated ops, contractions with elementwise ops around them, branches, loops and states.
struct PassGraph {
  /// Whether rounding may grow: gentle graphs hold no op that turns a last bit into a large difference.
  let isGentle: Bool
  private let spells: Bool
  private var random: Seeded
  var builder: GraphBuilder
  private var depth = 0
  private static let n = Dim(symbol: "n")

  struct Sample {
    var module: Module
    /// Several runs in a row, since states carry over.
    var runs: [[Value]]
  }

  /// With `spells` every third step or so spells out what has a name.
  static func make(seed: UInt64, gentle: Bool, spells: Bool = false) -> Sample? {
    var graph = PassGraph(seed: seed, gentle: gentle, spells: spells)
    return graph.build()
  }

  private init(seed: UInt64, gentle: Bool, spells: Bool) {
    isGentle = gentle
    self.spells = spells
    random = Seeded(seed)
    var module = Module(name: "random")
    module.declare(symbol: "n", in: 1...4)
    module.add(StateDeclaration(name: "s", type: .tensor(.f32, [2, 3])))
    builder = GraphBuilder(module: module, function: Function(name: "main"))
  }

  // MARK: Choices

  mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(max(limit, 1))) }
  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  private mutating func numbers(_ count: Int) -> [Double] {
    let special = [0, -0.0, 1, -1, 2, 0.5, .nan, .infinity, -.infinity, 1e-40, 1e30]
    return (0..<count).map { _ in
      !isGentle && chance(30) ? pick(special) : Double(below(2001) - 1000) / 500
    }
  }

  private mutating func tensor(_ type: ElementType, _ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    if type.isFloat { return Tensor(type, shape, doubles: numbers(count)) }
    return Tensor(
      type, shape, integers: (0..<count).map { _ in below(type == .bool ? 2 : 7) - (type == .bool ? 0 : 2) })
  }

  // MARK: Building

  private mutating func build() -> Sample? {
    let arguments: [(ElementType, [Dim])] = [
      (.f32, [Self.n, 2, 3, 2]), (.f32, [2, 3]), (.f32, [Self.n, 3, 2, 2]), (.i32, [2, 3]), (.bool, []), (.f32, [3]),
    ]
    var pool: [ValueID] = []
    for (number, argument) in arguments.enumerated() {
      pool.append(builder.argument("a\(number)", ValueFact(argument.0, argument.1)))
    }
    for (number, shape) in [[2, 3], [3, 3], [2, 1, 1, 2], [4, 2, 3, 2], [12, 3]].enumerated() {
      builder.module.add(Weight(name: "w\(number)", tensor: tensor(.f32, shape), origin: "w\(number)"))
      if let value = try? builder.weight("w\(number)") { pool.append(value) }
    }
    let steps = 6 + below(18)
    for _ in 0..<steps { step(&pool) }
    var results: [(name: String, value: ValueID)] = []
    for _ in 0..<(1 + below(3)) {
      let value = chance(60) ? pool[pool.count - 1 - below(min(4, pool.count))] : pick(pool)
      results.append(("r\(results.count)", value))
    }
    builder.function.setResults(results)
    var runs: [[Value]] = []
    for _ in 0..<2 {
      let n = 1 + below(3)
      runs.append(
        arguments.map { argument in
          .tensor(tensor(argument.0, argument.1.map { $0.evaluate(["n": n]) ?? 1 }))
        })
    }
    return Sample(module: builder.finish(), runs: runs)
  }

  /// Tries to add something; what does not fit is left out.
  private mutating func step(_ pool: inout [ValueID]) {
    builder.locations = chance(50) ? ["src:\(below(1000))"] : []
    if spells, chance(35) { return spelled(&pool) }
    let choice = below(24)
    if choice == 0, depth < 2 { return branch(&pool) }
    if choice == 1, depth < 2 { return loop(&pool) }
    if choice == 2 { return state(&pool) }
    if choice == 3 { return shapes(&pool) }
    if choice < 6, movement(&pool, inverting: true) { return }
    if choice < 11, movement(&pool, inverting: false) { return }
    if choice < 13, contraction(&pool) { return }
    if choice < 15, reduction(&pool) { return }
    elementwise(&pool)
  }

  @discardableResult
  private mutating func add(_ kind: any OpKind, _ operands: [ValueID?], _ pool: inout [ValueID]) -> Bool {
    guard let results = try? builder.add(kind, operands) else { return false }
    for result in results where (builder.function.tensorType(result)?.rank ?? 9) <= 5 { pool.append(result) }
    return true
  }

  private mutating func value(_ pool: [ValueID], where fits: (TensorType) -> Bool) -> ValueID? {
    for _ in 0..<8 {
      // Late values more often, so that chains grow long.
      let value = chance(50) ? pool[pool.count - 1 - below(min(5, pool.count))] : pick(pool)
      if let type = builder.function.tensorType(value), fits(type) { return value }
    }
    return nil
  }

  private mutating func elementwise(_ pool: inout [ValueID]) {
    guard let a = value(pool, where: { $0.layout == nil }), let type = builder.function.tensorType(a),
      let element = type.plain
    else { return }
    switch below(8) {
    case 0, 1:
      let smooth: [Unary.Function] = [.relu, .tanh, .neg, .abs, .sigmoid]
      add(Unary(isGentle ? pick(smooth) : pick(Unary.Function.allCases)), [a], &pool)
    case 2: add(Cast(to: isGentle ? .f64 : pick([.f64, .f32, .i32, .f16, .i64, .bool, .i8])), [a], &pool)
    case 3:
      guard let condition = value(pool, where: { $0.plain == .bool }) else { return }
      add(Select(), [condition, a, value(pool, where: { $0.element == type.element }) ?? a], &pool)
    case 4 where !isGentle:
      guard let b = value(pool, where: { $0.element == type.element }) else { return }
      add(pick(Compare.mnemonics.compactMap { Compare(mnemonic: $0) }), [a, b], &pool)
    case 5, 6:
      // A constant, often a neutral one.
      let shape = chance(60) ? [] : [type.shape.last?.constant ?? 1]
      var constant = tensor(element, shape)
      if chance(50) {
        constant = Tensor(element, shape, doubles: Array(repeating: pick([0, -0.0, 1, 2]), count: constant.count))
      }
      guard let b = try? builder.constant(constant) else { return }
      add(binary(), chance(70) ? [a, b] : [b, a], &pool)
    default:
      guard let b = value(pool, where: { $0.element == type.element }) else { return }
      add(binary(), [a, b], &pool)
    }
  }

  private mutating func binary() -> Binary {
    let smooth: [Binary.Function] = [.add, .sub, .mul, .maximum, .minimum]
    return Binary(isGentle || chance(70) ? pick(smooth) : pick(Binary.Function.allCases))
  }

  private mutating func movement(_ pool: inout [ValueID], inverting: Bool) -> Bool {
    guard let x = value(pool, where: { $0.rank >= 2 }), let type = builder.function.tensorType(x) else { return false }
    let rank = type.rank
    if inverting {
      return add(Transpose(permutation: rank == 4 ? pick([[0, 2, 3, 1], [0, 3, 1, 2]]) : shuffled(rank)), [x], &pool)
    }
    let axis = below(rank)
    switch below(7) {
    case 0: return add(Transpose(permutation: shuffled(rank)), [x], &pool)
    case 1:
      let flat = type.shape.dropFirst().reduce(Dim(1), *)
      return add(Reshape(shape: pick([[type.shape[0], flat], type.shape + [1], [1] + type.shape])), [x], &pool)
    case 2:
      return add(
        Concat(axis: axis), [x, value(pool, where: { $0.rank == rank && $0.element == type.element }) ?? x], &pool)
    case 3:
      var sizes = type.shape
      if chance(70), let extent = sizes[axis].constant, extent > 1 { sizes[axis] = Dim(extent - 1) }
      return add(
        Slice(starts: sizes.map { _ in 0 }, sizes: sizes, steps: Array(repeating: 1, count: rank)), [x], &pool)
    case 4:
      var before = Array(repeating: 0, count: rank)
      if chance(70) { before[axis] = 1 }
      return add(Pad(before: before, after: before.reversed(), value: 0.5), [x], &pool)
    case 5: return add(Broadcast(shape: chance(50) ? type.shape : [2] + type.shape), [x], &pool)
    default:
      return add(Concat(axis: axis), [x], &pool)
    }
  }

  private mutating func shuffled(_ rank: Int) -> [Int] {
    var result = Array(0..<rank)
    result.shuffle(using: &random)
    return result
  }

  private mutating func contraction(_ pool: inout [ValueID]) -> Bool {
    if chance(30) {
      // A flatten before a dense layer.
      guard let x = value(pool, where: { $0.rank == 4 && $0.plain == .f32 }),
        let shape = builder.function.tensorType(x)?.shape,
        let rows = shape.dropFirst().reduce(Dim(1), *).constant, rows == 12,
        let flat = try? builder.add(Reshape(shape: [shape[0], 12]), x), let w = try? builder.weight("w4")
      else { return false }
      return add(MatMul(), [flat, w], &pool)
    }
    if chance(40) {
      guard let x = value(pool, where: { $0.rank == 4 && $0.plain == .f32 }),
        let w = value(pool, where: { $0.rank == 4 && $0.plain == .f32 && $0.constantShape != nil })
      else { return false }
      return add(Conv(), [x, w], &pool)
    }
    guard let a = value(pool, where: { $0.rank >= 2 && $0.plain == .f32 }),
      let b = value(pool, where: { $0.rank == 2 && $0.plain == .f32 })
    else { return false }
    return add(MatMul(transposeLHS: chance(20), transposeRHS: chance(30)), [a, b], &pool)
  }

  private mutating func reduction(_ pool: inout [ValueID]) -> Bool {
    guard let x = value(pool, where: { $0.rank >= 1 }), let type = builder.function.tensorType(x) else { return false }
    if chance(30) { return add(Softmax(axis: below(type.rank)), [x], &pool) }
    let axes = (0..<type.rank).filter { _ in chance(40) }
    let functions: [Reduce.Function] = isGentle ? [.mean, .max, .sum] : Reduce.Function.allCases
    return add(Reduce(pick(functions), axes: axes, keepDims: chance(50)), [x], &pool)
  }

  private mutating func shapes(_ pool: inout [ValueID]) {
    guard let x = value(pool, where: { $0.rank >= 1 }), let shape = try? builder.add(Shape(), x),
      let zero = try? builder.constant(.scalar(0)), let extent = try? builder.add(Gather(axis: 0), shape, zero)
    else { return }
    pool.append(chance(50) ? shape : extent)
    if chance(50) { add(Compare(mnemonic: "less"), [extent, zero], &pool) }
  }

  private mutating func state(_ pool: inout [ValueID]) {
    if chance(50) {
      add(StateRead("s"), [], &pool)
    } else if let x = value(pool, where: { $0 == TensorType(.f32, [2, 3]) }) {
      add(StateUpdate("s"), [x], &pool)
    }
  }

  private mutating func branch(_ pool: inout [ValueID]) {
    guard let condition = value(pool, where: { $0.plain == .bool && $0.rank == 0 }), let target = pool.last else {
      return
    }
    let type = builder.function.type(target)
    depth += 1
    defer { depth -= 1 }
    let outer = builder.function
    guard let then = region([], pool, yielding: [type]), let other = region([], pool, yielding: [type]),
      let results = try? builder.add(If(), [condition], regions: [then, other])
    else {
      builder.function = outer
      return
    }
    pool += results
  }

  private mutating func loop(_ pool: inout [ValueID]) {
    guard let x = value(pool, where: { $0.layout == nil }), let trip = try? builder.constant(.scalar(below(3))) else {
      return
    }
    let type = builder.function.type(x)
    depth += 1
    defer { depth -= 1 }
    let outer = builder.function
    let scan = chance(30)
    let arguments = [ValueFact(.i64, []), ValueFact(.bool, []), ValueFact(type)]
    let yields = [ValueType.tensor(.bool, []), type] + (scan ? [type] : [])
    let extent = builder.function[trip].fact.elements?.first ?? 0
    guard let body = region(arguments, pool, yielding: yields),
      let results = try? builder.add(Loop(extent: scan ? extent : 0), [trip, nil, x], regions: [body])
    else {
      builder.function = outer
      return
    }
    pool += results.filter { (builder.function.tensorType($0)?.rank ?? 9) <= 5 }
  }

  /// A region of a few steps that yields values of these types; late ones where it has them.
  private mutating func region(_ arguments: [ValueFact], _ pool: [ValueID], yielding types: [ValueType]) -> BlockID? {
    let outer = builder
    var copy = builder
    let block = try? copy.region(arguments) { inner, values throws(Diagnostic) in
      builder = inner
      var local = pool + values
      for _ in 0..<(1 + below(5)) { step(&local) }
      var yields: [ValueID] = []
      for type in types {
        guard let found = local.last(where: { builder.function.type($0) == type }) else {
          throw .bug("no value to yield")
        }
        yields.append(found)
      }
      inner = builder
      return yields
    }
    builder = block == nil ? outer : copy
    return block
  }
}

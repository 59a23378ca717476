import IR
import Support
import TestSupport

/// A value of the graph with an interval that holds all its elements.
struct Item {
  var id: ValueID
  var type: TensorType
  var low: Double
  var high: Double

  var element: ElementType { type.plain ?? .bool }
  var isFloat: Bool { type.plain?.isFloat ?? false }
  var isInteger: Bool { type.plain?.isInteger ?? false }
  var magnitude: Double { max(abs(low), abs(high)) }
}

/// Grows a graph op by op. Each step picks operands that fit from the values there are and knows, from their intervals
/// and the values of the symbols, that the op will evaluate without error.
struct GraphGenerator {
  /// No float gets larger; f16 holds it.
  static let limit = 1e4
  /// No tensor gets more elements.
  var countLimit: Int { options.large ? 12_000 : 600 }

  let options: RandomGraph.Options
  var random: Seeded
  var builder: GraphBuilder
  /// What may be an operand here.
  var pool: [Item] = []
  /// Values of the symbols, where the generator knows them.
  var symbols: [String: Int] = [:]
  /// Nested regions are kept shallow.
  var depth = 0
  private var inputs: [Value] = []

  init(seed: UInt64, options: RandomGraph.Options) {
    self.options = options
    random = Seeded(seed)
    builder = GraphBuilder(module: Module(name: "random\(seed)"), function: Function(name: "main"))
  }

  mutating func generate() throws(Diagnostic) -> (module: Module, inputs: [Value]) {
    addArguments()
    let goal = random.within(options.ops)
    var attempts = 0
    while builder.function.operationCapacity < goal, attempts < 40 * goal {
      attempts += 1
      _ = try step()
    }
    // Whatever nothing reads is a result, so that no op is dead; a graph without such a value returns its last one.
    let function = builder.function
    var results = pool.filter { function[$0.id].uses.isEmpty && function.definingOp($0.id) != nil }
    if results.isEmpty, let last = pool.last { results = [last] }
    builder.function.setResults(results.enumerated().map { (name: "r\($0)", value: $1.id) })
    return (builder.finish(), inputs)
  }

  // MARK: Arguments

  private mutating func addArguments() {
    var leading: [Dim] = []
    if options.symbols {
      for name in ["n", "m"].prefix(random.below(3)) {
        builder.module.declare(symbol: name, in: 1...64)
        symbols[name] = random.within(1...(options.large ? 19 : 5))
        leading.append(Dim(symbol: name))
      }
    }
    // The first argument binds every symbol.
    let rest = randomShape(rank: max(1, random.within(0...3)) - min(leading.count, 1))
    addArgument("a0", .f32, leading + rest, otherwise: leading.isEmpty ? [2] : leading)
    for number in 1...max(1, random.below(3)) {
      let floats: [ElementType] = options.otherFloats ? [.f32, .f32, .f32, .f16, .bf16, .f64] : [.f32]
      let element = random.pick(floats) ?? .f32
      addArgument("a\(number)", element, randomShape(rank: random.within(0...4)))
    }
    // A picture, which convolutions and pools take.
    let image = [
      leading.first ?? Dim(1), Dim(random.within(3...(options.large ? 14 : 6))),
      Dim(random.within(3...(options.large ? 14 : 6))), Dim(random.within(1...(options.large ? 20 : 4))),
    ]
    addArgument("image", .f32, image)
    let integer = random.pick([ElementType.i8, .u8, .i16, .i32, .i64, .u8, .i8]) ?? .i8
    addArgument("integers", integer, [Dim(random.within(1...3)), Dim(random.within(2...(options.large ? 70 : 5)))])
    addArgument(
      "index", random.chance(50) ? .i64 : .i32, random.chance(30) ? [] : [Dim(random.within(1...3))], low: 0, high: 2)
    addArgument("flag", .bool, [], low: 0, high: 1)
  }

  private mutating func randomShape(rank: Int) -> [Dim] {
    (0..<max(rank, 0)).map { _ in
      if let name = random.pick(symbols.keys.sorted()), random.chance(20) { return Dim(symbol: name) }
      return Dim(random.pick(options.large ? [1, 3, 8, 15, 16, 17, 33, 40] : [1, 2, 3, 4, 5, 7, 8]) ?? 1)
    }
  }

  private mutating func addArgument(
    _ name: String, _ element: ElementType, _ dims: [Dim], low: Double = -2, high: Double = 2, otherwise: [Dim] = [2]
  ) {
    // Products of the larger extents leave room for further growth.
    let shape = concrete(dims).flatMap { $0.reduce(1, *) <= countLimit ? dims : nil } ?? otherwise
    let type = TensorType(element, shape)
    let low = element.isSigned ? low : max(low, 0)
    let tensor = randomTensor(element, concrete(shape) ?? [], low, high, withNaN: options.withNaN)
    inputs.append(.tensor(tensor))
    pool.append(Item(id: builder.argument(name, ValueFact(type)), type: type, low: low, high: high))
  }

  mutating func randomTensor(
    _ element: ElementType, _ shape: [Int], _ low: Double, _ high: Double, withNaN: Bool = false
  ) -> Tensor {
    let count = shape.reduce(1, *)
    if element.isFloat {
      var values: [Double] = []
      for _ in 0..<count { values.append(withNaN && random.chance(5) ? .nan : random.real(low, high)) }
      return Tensor(element, shape, doubles: values)
    }
    var values: [Int] = []
    // The ends of 64-bit types are no numbers of a `Double` that goes back.
    let range = Int(max(low, -0x1p40))...Int(min(high, 0x1p40))
    for _ in 0..<count { values.append(random.within(range)) }
    return Tensor(element, shape, integers: values)
  }

  // MARK: Steps

  /// One attempt at one more op; false when no operands fit.
  private mutating func step() throws(Diagnostic) -> Bool {
    let before = builder.function.operationCapacity
    switch random.below(36) {
    case 0...3: try addUnary()
    case 4...7: try addBinary()
    case 8: try addCompareAndSelect()
    case 9: try addCast()
    case 10...11: try addMatMul()
    case 12...13: try addConv()
    case 14: try addPool()
    case 15...16: try addReduce()
    case 17: if random.chance(30) { try addSoftmax() } else { try addBlock() }
    case 18: try addReshape()
    case 19: try addTranspose()
    case 20: try addSlice()
    case 21: try addConcat()
    case 22: try addGather()
    case 23: try addBroadcastOrPad()
    case 24: try addExtents()
    case 25: try addQuantization()
    case 26: try addBlocks()
    case 27 where options.lists: try addListOrTexts()
    case 27: if options.sequences { try random.chance(30) ? addOptional() : addSequence() }
    case 28: if options.state { try addState() }
    case 29: if options.control { try addIf() }
    case 30: if options.control { try random.chance(40) ? addScan() : addLoop() }
    case 31: if options.control { try addFusion() }
    case 32: try addIndexing()
    case 33: try addImaging()
    default: try addSeldomOp()
    }
    return builder.function.operationCapacity > before
  }

  // MARK: What steps use

  /// The extents under the symbols' values; nil where one is not known before the graph runs.
  func concrete(_ dims: [Dim]) -> [Int]? {
    var shape: [Int] = []
    for dim in dims {
      guard let extent = dim.evaluate(symbols) else { return nil }
      shape.append(extent)
    }
    return shape
  }

  func concrete(_ item: Item) -> [Int]? { concrete(item.type.shape) }

  /// Whether a tensor of this shape may join the graph.
  func fits(_ dims: [Dim]) -> Bool {
    guard dims.count <= 5, let shape = concrete(dims) else { return false }
    return shape.allSatisfy { $0 > 0 } && shape.reduce(1, *) <= countLimit
  }

  func fitting(_ fits: (Item) -> Bool) -> [Item] { pool.filter(fits) }

  /// One of the values, rather a young one.
  mutating func choose(_ candidates: [Item]) -> Item? {
    if candidates.count > 4, random.chance(60) { return random.pick(Array(candidates.suffix(4))) }
    return random.pick(candidates)
  }

  mutating func pickFloat(rank: ClosedRange<Int> = 0...5) -> Item? {
    choose(fitting { $0.isFloat && $0.element.bits >= 16 && rank.contains($0.type.rank) && concrete($0) != nil })
  }

  /// Adds an op with one tensor result whose elements lie between `low` and `high`.
  @discardableResult
  mutating func add(_ kind: any OpKind, _ operands: [ValueID?], _ low: Double, _ high: Double) throws(Diagnostic)
    -> Item
  {
    let id = try builder.add(kind, operands)[0]
    guard let type = builder.function.tensorType(id) else { throw .bug("\(kind.mnemonic) gives no tensor") }
    // Narrow floats round outwards by at most a percent.
    let slack = type.plain?.isFloat ?? false ? 0.01 : 0
    let item = Item(id: id, type: type, low: low - abs(low) * slack, high: high + abs(high) * slack)
    pool.append(item)
    return item
  }

  /// The same with an integer result about which nothing but its type is known.
  @discardableResult
  mutating func addInteger(_ kind: any OpKind, _ operands: [ValueID?]) throws(Diagnostic) -> Item {
    var item = try add(kind, operands, 0, 0)
    let range = item.type.element.storage?.integerRange ?? 0...1
    (item.low, item.high) = (Double(range.lowerBound), Double(range.upperBound))
    pool[pool.count - 1] = item
    return item
  }

  mutating func constant(_ tensor: Tensor, _ low: Double, _ high: Double) throws(Diagnostic) -> Item {
    let id = try builder.constant(tensor)
    return Item(id: id, type: tensor.type, low: low, high: high)
  }

  /// Random numbers as a weight of the module.
  mutating func weight(
    _ element: ElementType, _ shape: [Int], _ low: Double, _ high: Double, packed layout: PackedLayout? = nil
  ) throws(Diagnostic) -> ValueID {
    var tensor = randomTensor(element, shape, low, high)
    if let layout { tensor = try GraphGenerator.pack(tensor, layout) }
    return try add(weight: tensor)
  }

  mutating func add(weight tensor: Tensor) throws(Diagnostic) -> ValueID {
    let name = builder.module.freshWeight("w\(builder.module.weights.count)")
    builder.module.add(Weight(name: name, tensor: tensor))
    return try builder.weight(name)
  }

  /// A matrix in the order of `layout`.
  static func pack(_ matrix: Tensor, _ layout: PackedLayout) throws(Diagnostic) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    var positions = [Int](repeating: -1, count: layout.storedElements(rows: rows, columns: columns))
    for row in 0..<rows {
      for column in 0..<columns {
        positions[layout.position(row: row, column: column, rows: rows)] = row * columns + column
      }
    }
    let packed = matrix.picking(positions, shape: [positions.count])
    return try Tensor(element: matrix.element, shape: matrix.shape, layout: layout, bytes: packed.bytes)
  }

  /// Builds a region whose ops see the values outside, and `arguments`; what it adds is forgotten outside.
  mutating func region(
    _ arguments: [Item], facts: [ValueFact],
    _ body: (inout GraphGenerator, [Item]) throws(Diagnostic) -> [ValueID]
  ) throws(Diagnostic) -> BlockID {
    let outer = pool
    var enclosing = builder
    var inner = self
    inner.depth += 1
    let block = try enclosing.region(facts) { nested, values throws(Diagnostic) in
      inner.builder = nested
      var items = arguments
      for number in items.indices { items[number].id = values[number] }
      inner.pool += items
      let yields = try body(&inner, items)
      nested = inner.builder
      return yields
    }
    builder = enclosing
    random = inner.random
    pool = outer
    return block
  }
}

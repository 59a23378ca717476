import IR
import Support

extension GraphGenerator {
  /// A few ops on `x` that keep its type; the result's elements lie within `-bound...bound`.
  private mutating func addChain(_ x: Item, length: ClosedRange<Int>) throws(Diagnostic) -> Item {
    var value = x
    for _ in 0..<random.within(length) {
      switch random.below(4) {
      case 0: value = try add(Unary(.sigmoid), [value.id], 0, 1)
      case 1: value = try add(Unary(.relu), [value.id], 0, max(value.high, 0))
      case 2:
        let number = random.real(-1, 1)
        let scalar = try constant(Tensor(x.element, [], doubles: [number]), number, number)
        value = try add(Binary(.add), [value.id, scalar.id], value.low + number, value.high + number)
      default: value = try add(Unary(.tanh), [value.id], -1, 1)
      }
    }
    return value
  }

  mutating func addIf() throws(Diagnostic) {
    guard depth < 2, let x = pickFloat(), x.magnitude < 1000,
      let condition = choose(fitting({ $0.type == TensorType(.bool, []) }))
    else { return }
    var results: [Item] = []
    var regions: [BlockID] = []
    for _ in 0..<2 {
      let block = try region([], facts: []) { inner, _ throws(Diagnostic) in
        if inner.random.chance(20) { try inner.addIf() }
        let result = try inner.addChain(x, length: 0...2)
        results.append(result)
        return [result.id]
      }
      regions.append(block)
    }
    let low = results.map(\.low).min() ?? 0
    let high = results.map(\.high).max() ?? 0
    let id = try builder.add(If(), [condition.id], regions: regions)[0]
    pool.append(Item(id: id, type: x.type, low: low, high: high))
  }

  /// A loop that carries a value, leaves every iteration's behind, and may stop early.
  mutating func addLoop() throws(Diagnostic) {
    guard depth == 0, let x = pickFloat(rank: 0...3), x.magnitude < 1000 else { return }
    let trip = random.within(0...3)
    let stops = random.chance(40)
    let last = random.within(0...3)
    let iterations = stops ? min(trip, last + 1) : trip
    var kind = Loop(extent: Dim(iterations))
    if random.chance(50) || iterations == 0 {
      let symbol = builder.module.freshSymbol("steps")
      builder.module.declare(symbol: symbol, in: 0...8)
      kind = Loop(extent: Dim(symbol: symbol))
      symbols[symbol] = iterations
    }
    let limit = try constant(.scalar(trip), Double(trip), Double(trip))
    // The carried value ends within -1...1, whatever the body makes of it, and starts as x.
    let (low, high) = (min(x.low, -1.02), max(x.high, 1.02))
    let arguments = [
      Item(id: x.id, type: TensorType(.i64, []), low: 0, high: 3),
      Item(id: x.id, type: TensorType(.bool, []), low: 0, high: 1), Item(id: x.id, type: x.type, low: low, high: high),
    ]
    let facts = arguments.map { ValueFact($0.type) }
    let outside = pool
    let block = try region(arguments, facts: facts) { inner, items throws(Diagnostic) in
      var condition = items[1].id
      if stops {
        let bound = try inner.constant(.scalar(last), Double(last), Double(last))
        condition = try inner.add(Compare(.less), [items[0].id, bound.id], 0, 1).id
      }
      let changed = try inner.addChain(items[2], length: 0...2)
      let next = try inner.add(Unary(.tanh), [changed.id], -1, 1)
      return [condition, next.id, changed.id]
    }
    pool = outside
    let bound = max(abs(low), abs(high)) + 3
    let results = try builder.add(kind, [limit.id, nil, x.id], regions: [block])
    pool.append(Item(id: results[0], type: x.type, low: low, high: high))
    // A stack of no iterations has no elements, which some ops cannot reduce.
    guard iterations > 0, let type = builder.function.tensorType(results[1]) else { return }
    pool.append(Item(id: results[1], type: type, low: -bound, high: bound))
  }

  /// A scan along some axis in some direction, which carries a value and leaves behind what it makes of each slice.
  mutating func addScan() throws(Diagnostic) {
    guard depth == 0, let x = pickFloat(rank: 0...3), let y = pickFloat(rank: 1...4), x.magnitude < 1000,
      y.magnitude < 1000, let shape = concrete(y)
    else { return }
    let axis = random.below(shape.count)
    guard shape[axis] > 0 else { return }
    let kind = Scan(
      states: 1, axes: [axis], reversed: random.chance(50) ? [0] : [], outputAxes: [random.below(shape.count)],
      outputReversed: random.chance(50) ? [0] : [])
    var slice = y.type.shape
    slice.remove(at: axis)
    // The state ends within -1...1, as a loop's does.
    let (low, high) = (min(x.low, -1.02), max(x.high, 1.02))
    let arguments = [
      Item(id: x.id, type: x.type, low: low, high: high),
      Item(id: y.id, type: y.type.with(shape: slice), low: y.low, high: y.high),
    ]
    let outside = pool
    var bounds = (low: 0.0, high: 0.0)
    let block = try region(arguments, facts: arguments.map { ValueFact($0.type) }) { inner, items throws(Diagnostic) in
      let changed = try inner.addChain(items[0], length: 0...2)
      let next = try inner.add(Unary(.tanh), [changed.id], -1, 1)
      let left = try inner.addChain(items[1], length: 0...2)
      bounds = (left.low, left.high)
      return [next.id, left.id]
    }
    pool = outside
    let results = try builder.add(kind, [x.id, y.id], regions: [block])
    pool.append(Item(id: results[0], type: x.type, low: low, high: high))
    guard let type = builder.function.tensorType(results[1]) else { return }
    pool.append(Item(id: results[1], type: type, low: bounds.low, high: bounds.high))
  }

  /// Ops that fusion would make one kernel of.
  mutating func addFusion() throws(Diagnostic) {
    guard depth == 0, let x = pickFloat(), x.magnitude < 1000, let y = try partner(of: x) else { return }
    let product = x.type.rank == 2 && random.chance(40) ? x.type.shape[1].constant : nil
    let bound = Double(product ?? 1) * x.magnitude
    guard bound < GraphGenerator.limit / 2 else { return }
    let operands = product == nil ? [x, y] : [x]
    var result: Item?
    let block = try region(operands, facts: operands.map { ValueFact($0.type) }) { inner, items throws(Diagnostic) in
      var value = items[0]
      if let depth = product {
        let w = try inner.weight(x.element, [depth, 3], -0.5, 0.5)
        value = try inner.add(MatMul(), [value.id, w], -bound, bound)
      } else {
        let (low, high) = (value.low + items[1].low, value.high + items[1].high)
        value = try inner.add(Binary(.add), [value.id, items[1].id], low, high)
      }
      let last = try inner.addChain(value, length: 1...3)
      result = last
      return [last.id]
    }
    guard let result else { return }
    let id = try builder.add(Fusion(product == nil ? .map : .contraction), operands.map(\.id), regions: [block])[0]
    pool.append(Item(id: id, type: result.type, low: result.low, high: result.high))
  }
}

import IR
import Support
import TestSupport

/// Lists that grow, shrink and come out of loops, values that may be absent, and texts.
extension GraphGenerator {
  mutating func addListOrTexts() throws(Diagnostic) {
    switch random.below(4) {
    case 0: try addTexts()
    case 1: try addParts()
    case 2: try addCollected()
    default: try addList()
    }
  }

  /// A value whose members may be taken apart: plain elements of whole bytes.
  private mutating func pickMember(rank: ClosedRange<Int> = 0...4) -> Item? {
    choose(
      fitting { item in
        concrete(item) != nil && rank.contains(item.type.rank) && (item.type.plain.map { $0.bits >= 8 } ?? false)
          && item.type.layout == nil
      })
  }

  private mutating func index(_ range: ClosedRange<Int>) throws(Diagnostic) -> ValueID? {
    if random.chance(30) { return nil }
    let value = random.within(range)
    return try constant(.scalar(value), Double(value), Double(value)).id
  }

  private mutating func addList() throws(Diagnostic) {
    guard let x = pickMember() else { return }
    let y = random.pick(pool.filter { $0.type == x.type }) ?? x
    let (low, high) = (min(x.low, y.low), max(x.high, y.high))
    var list = try builder.add(SequenceMake(), [x.id, y.id])[0]
    var count = 2
    if random.chance(50), let element = x.type.plain {
      list = try builder.add(Widen(to: .sequence(.anyTensor(element))), [list])[0]
    }
    for _ in 0..<random.within(1...3) {
      if count > 1, random.chance(40) {
        list = try builder.add(SequenceErase(), [list, try index(-count...count - 1)])[0]
        count -= 1
      } else {
        let member = random.chance(50) ? x : y
        list = try builder.add(SequenceInsert(), [list, member.id, try index(-count...count)])[0]
        count += 1
      }
    }
    if random.chance(40) {
      let made = try builder.add(OptionalMake(), [list])[0]
      try add(OptionalHas(), [made], 0, 1)
      list = try builder.add(OptionalGet(), [made])[0]
    }
    if random.chance(50) { try add(SequenceLength(), [list], Double(count), Double(count)) }
    let place = try constant(.scalar(random.within(-count...count - 1)), 0, 0)
    try add(SequenceAt(shape: x.type.shape), [list, place.id], low, high)
    try join(list, count, x, low, high)
  }

  private mutating func join(
    _ list: ValueID, _ count: Int, _ x: Item, _ low: Double, _ high: Double
  ) throws(Diagnostic) {
    var shape = x.type.shape
    let axis = random.within(0...shape.count)
    if axis < shape.count, random.chance(50) {
      shape[axis] = shape[axis] * count
      if fits(shape) { try add(SequenceJoin(axis: axis, stack: false, shape: shape), [list], low, high) }
    } else {
      shape.insert(Dim(count), at: axis)
      if fits(shape) { try add(SequenceJoin(axis: axis, stack: true, shape: shape), [list], low, high) }
    }
  }

  /// What a tensor is split into.
  private mutating func addParts() throws(Diagnostic) {
    guard let x = pickMember(rank: 1...4), let extents = concrete(x) else { return }
    let axis = random.below(x.type.rank)
    var shape = x.type.shape
    let size = random.within(1...extents[axis])
    let count = (extents[axis] + size - 1) / size
    switch random.below(3) {
    case 0:
      shape.remove(at: axis)
      let list = try builder.add(
        SequenceSplit(axis: axis, keep: false, member: .tensor(x.type.with(shape: shape))), [x.id])[0]
      let place = try constant(.scalar(random.within(-extents[axis]...extents[axis] - 1)), 0, 0)
      try add(SequenceAt(), [list, place.id], x.low, x.high)
    case 1:
      if !builder.module.symbols.contains(where: { $0.name == "any" }) {
        builder.module.declare(symbol: "any", in: 0...1 << 20)
      }
      let open = x.type.with(shape: shape.indices.map { $0 == axis ? Dim(symbol: "any") : shape[$0] })
      let sizes = try constant(.scalar(size), Double(size), Double(size))
      let list = try builder.add(SequenceSplit(axis: axis, keep: true, member: .tensor(open)), [x.id, sizes.id])[0]
      try add(SequenceLength(), [list], Double(count), Double(count))
      try add(SequenceJoin(axis: axis, stack: false, shape: shape), [list], x.low, x.high)
    default:
      guard depth == 0 else { return }
      let element = x.type.plain ?? .f32
      let sizes = Tensor(.i64, [2], integers: [size, extents[axis] - size])
      let given = try constant(sizes, 0, Double(extents[axis]))
      if !builder.module.symbols.contains(where: { $0.name == "any" }) {
        builder.module.declare(symbol: "any", in: 0...1 << 20)
      }
      let open = x.type.with(shape: shape.indices.map { $0 == axis ? Dim(symbol: "any") : shape[$0] })
      var list = try builder.add(SequenceSplit(axis: axis, keep: true, member: .tensor(open)), [x.id, given.id])[0]
      list = try builder.add(Widen(to: .sequence(.anyTensor(element))), [list])[0]
      let symbol = builder.module.freshSymbol("part")
      builder.module.declare(symbol: symbol, in: 0...4 * countLimit)
      shape[axis] = Dim(symbol: symbol)
      symbols[symbol] = size
      let place = try constant(.scalar(0), 0, 0)
      try add(SequenceAt(shape: shape), [list, place.id], x.low, x.high)
    }
  }

  /// What a loop puts into a list, which a condition may take instead.
  private mutating func addCollected() throws(Diagnostic) {
    guard depth == 0, let x = pickMember(), let trip = try? constant(.scalar(random.within(0...5)), 0, 5) else {
      return
    }
    let member = ValueType.tensor(x.type)
    let start = try builder.add(SequenceMake(element: member), random.chance(50) ? [] : [x.id])[0]
    let facts = [ValueFact(.i64, []), ValueFact(.bool, []), ValueFact(.sequence(member))]
    let block = try builder.region(facts) { inner, values throws(Diagnostic) in
      [values[1], try inner.add(SequenceInsert(), [values[2], x.id, values[0]])[0]]
    }
    let list = try builder.add(Loop(), [trip.id, nil, start], regions: [block])[0]
    let length = try builder.add(SequenceLength(), [list])[0]
    let zero = try constant(.scalar(0), 0, 0)
    let condition = try builder.add(Compare(.greater), [length, zero.id])[0]
    let then = try builder.region([]) { inner, _ throws(Diagnostic) in
      [try inner.add(OptionalMake(), [try inner.add(SequenceAt(), [list, zero.id])[0]])[0]]
    }
    let other = try builder.region([]) { inner, _ throws(Diagnostic) in
      [try inner.add(OptionalMake(element: member), [nil])[0]]
    }
    let first = try builder.add(If(), [condition], regions: [then, other])[0]
    try add(OptionalHas(), [first], 0, 1)
    try add(SequenceLength(), [list], 0, 6)
  }

  // MARK: Texts

  private static let words: [[UInt8]] = [
    [], Array("a".utf8), Array("b c".utf8), Array("Straße ÀÉ".utf8), Array(" a,,b ".utf8), [0xff, 0x41, 0xc3],
    Array("x1@one.org".utf8), Array("\u{2003}b\u{3000}".utf8), Array("A".utf8), Array("a b c d e".utf8),
  ]

  private mutating func texts(_ shape: [Int]) throws(Diagnostic) -> ValueID {
    let count = shape.reduce(1, *)
    let strings = (0..<count).map { _ in random.pick(GraphGenerator.words) ?? [] }
    return try builder.constant(Tensor(strings: strings, shape: shape))
  }

  private mutating func addTexts() throws(Diagnostic) {
    let (rows, columns) = (random.within(1...3), random.within(1...4))
    var x = try texts([rows, columns])
    let y = try texts([[columns], [rows, 1], [rows, columns], []][random.below(4)])
    if random.chance(50) { x = try builder.add(StringConcat(), [x, y])[0] }
    if random.chance(50) { x = try builder.add(StringCase(to: random.chance(50) ? .lower : .upper), [x])[0] }
    if let flag = pool.first(where: { $0.type == TensorType(.bool, []) }), random.chance(50) {
      x = try builder.add(Select(), [flag.id, x, try texts([rows, columns])])[0]
    }
    if random.chance(40) {
      var turn = Transpose(mnemonic: "transpose")
      turn.permutation = [1, 0]
      x = try builder.add(Concat(axis: 0), [x, try builder.add(turn, [try texts([columns, rows])])[0]])[0]
    }
    if random.chance(40) {
      let member = try builder.add(SequenceMake(), [x, x])[0]
      x = try builder.add(SequenceAt(), [member, try constant(.scalar(1), 1, 1).id])[0]
    }
    let total = (builder.function.tensorType(x)?.constantShape ?? []).reduce(1, *)
    switch random.below(4) {
    case 0:
      let other = try texts([columns])
      try add(Compare(random.chance(50) ? .equal : .notEqual), [x, other], 0, 1)
    case 1:
      let keys = GraphGenerator.words.shuffled(by: &random)
      try add(StringFind(keys: Array(keys.prefix(6)) + [keys[0]]), [x], 0, 7)
    case 2:
      let patterns = ["[a-z0-9]+@(one|two)\\.org", "\\w*|.*\\bb\\b.*", "(a|b ?c){1,3}", "[^a]*", ""]
      try add(StringMatch(pattern: random.pick(patterns) ?? ""), [x], 0, 1)
    default:
      guard depth == 0 else { return }
      let symbol = builder.module.freshSymbol("pieces")
      builder.module.declare(symbol: symbol, in: 0...4 * countLimit)
      let delimiter = random.pick(["", ",", " ", "b "]) ?? ""
      let kind = StringSplit(delimiter: delimiter, limit: random.within(-1...2), extent: symbol)
      let results = try builder.add(kind, [x])
      guard let type = builder.function.tensorType(results[1]) else { throw .bug("string_split gives no numbers") }
      pool.append(Item(id: results[1], type: type, low: 0, high: Double(40 + total)))
      try add(StringFind(keys: [Array("a".utf8), []]), [results[0]], 0, 2)
    }
  }
}

extension Array {
  fileprivate func shuffled(by random: inout Seeded) -> [Element] {
    var result = self
    for place in result.indices.dropFirst().reversed() { result.swapAt(place, random.below(place + 1)) }
    return result
  }
}

import IR
import Support

extension GraphGenerator {
  private mutating func pickMovable(rank: ClosedRange<Int>) -> Item? {
    choose(fitting { rank.contains($0.type.rank) && concrete($0) != nil })
  }

  mutating func addReshape() throws(Diagnostic) {
    guard let x = pickMovable(rank: 0...5) else { return }
    var shape = x.type.shape
    switch random.below(4) {
    case 0: shape = [x.type.elementCount]
    case 1: shape.insert(1, at: random.within(0...shape.count))
    case 2:
      guard shape.count >= 2 else { return }
      let axis = random.below(shape.count - 1)
      shape[axis] = shape[axis] * shape[axis + 1]
      shape.remove(at: axis + 1)
    default:
      guard let axis = shape.indices.first(where: { shape[$0].exactlyDivided(by: 2) != nil }),
        let half = shape[axis].exactlyDivided(by: 2)
      else { return }
      shape[axis] = half
      shape.insert(2, at: axis)
    }
    guard fits(shape) else { return }
    try add(Reshape(shape: shape), [x.id], x.low, x.high)
  }

  mutating func addTranspose() throws(Diagnostic) {
    guard let x = choose(fitting({ (1...5).contains($0.type.rank) })) else { return }
    var permutation = Array(0..<x.type.rank)
    for i in permutation.indices.reversed() { permutation.swapAt(i, random.below(i + 1)) }
    try add(Transpose(permutation: permutation), [x.id], x.low, x.high)
  }

  /// All of a tensor in two parts, which may be joined again with something between them.
  private mutating func addSplit(_ x: Item) throws(Diagnostic) {
    let axis = random.chance(60) ? x.type.rank - 1 : random.below(x.type.rank)
    guard let extent = x.type.shape[axis].constant, extent >= 2 else { return }
    let cut = random.within(1...extent - 1)
    var parts: [Item] = []
    for (start, end) in [(0, cut), (cut, extent)] {
      var (starts, sizes) = (x.type.shape.map { _ in Dim(0) }, x.type.shape)
      (starts[axis], sizes[axis]) = (Dim(start), Dim(end - start))
      let kind = Slice(starts: starts, sizes: sizes, steps: x.type.shape.map { _ in 1 })
      parts.append(try add(kind, [x.id], x.low, x.high))
    }
    guard random.chance(60) else { return }
    if random.chance(50), parts[1].type.plain.map({ $0.isFloat || $0.isSigned }) ?? false {
      parts.append(try add(Unary(.abs), [parts[1].id], 0, max(abs(x.low), abs(x.high))))
    }
    if random.chance(30) { parts.reverse() }
    var shape = x.type.shape
    shape[axis] = parts.map { $0.type.shape[axis] }.reduce(Dim(0), +)
    guard fits(shape) else { return }
    try add(Concat(axis: axis), parts.map(\.id), min(x.low, 0), max(abs(x.low), abs(x.high)))
  }

  mutating func addSlice() throws(Diagnostic) {
    guard let x = pickMovable(rank: 1...5), let extents = concrete(x) else { return }
    if random.chance(40) { return try addSplit(x) }
    var (starts, sizes, steps) = ([Dim](), [Dim](), [Int]())
    for (dim, extent) in zip(x.type.shape, extents) {
      switch random.below(4) {
      case 0 where extent >= 2 && dim.constant == nil:
        starts.append(1)
        sizes.append(dim - 1)
        steps.append(1)
      case 0, 1:
        let size = random.within(1...extent)
        let step = size > 1 ? random.within(1...max(1, (extent - 1) / (size - 1))) : 3
        let first = random.below(extent - (size - 1) * (size > 1 ? step : 0))
        let backwards = random.chance(30)
        starts.append(Dim(backwards && size > 1 ? first + (size - 1) * step : first))
        sizes.append(Dim(size))
        steps.append(backwards ? -step : step)
      case 2:
        starts.append(dim - 1)
        sizes.append(dim)
        steps.append(-1)
      default:
        starts.append(0)
        sizes.append(dim)
        steps.append(1)
      }
    }
    try add(Slice(starts: starts, sizes: sizes, steps: steps), [x.id], x.low, x.high)
  }

  mutating func addConcat() throws(Diagnostic) {
    guard let x = pickMovable(rank: 1...5) else { return }
    let axis = random.chance(50) ? x.type.rank - 1 : random.below(x.type.rank)
    var parts = [x]
    for _ in 0..<random.within(1...2) {
      let other = choose(
        fitting { y in
          y.type.element == x.type.element && y.type.rank == x.type.rank && concrete(y) != nil
            && x.type.shape.indices.allSatisfy { $0 == axis || y.type.shape[$0] == x.type.shape[$0] }
        })
      parts.append(other ?? x)
    }
    let extent = parts.map { $0.type.shape[axis] }.reduce(Dim(0), +)
    guard fits(x.type.shape[..<axis] + [extent] + x.type.shape[(axis + 1)...]) else { return }
    let axisAttribute = random.chance(30) ? axis - x.type.rank : axis
    try add(
      Concat(axis: axisAttribute), parts.map(\.id), parts.map(\.low).min() ?? 0, parts.map(\.high).max() ?? 0)
  }

  mutating func addGather() throws(Diagnostic) {
    guard let x = pickMovable(rank: 1...5), let extents = concrete(x) else { return }
    let axis = random.below(x.type.rank)
    let extent = Double(extents[axis])
    var indices = choose(
      fitting {
        $0.isInteger && $0.low >= -extent && $0.high < extent && concrete($0) != nil && $0.type.rank <= 2
      })
    if indices == nil || random.chance(30) {
      let shape = random.chance(40) ? [] : [random.within(1...3)]
      let element = random.chance(50) ? ElementType.i64 : .i32
      indices = try constant(randomTensor(element, shape, -extent, extent - 1), -extent, extent - 1)
    }
    guard let indices, fits(x.type.shape[..<axis] + indices.type.shape + x.type.shape[(axis + 1)...]) else { return }
    try add(Gather(axis: axis), [x.id, indices.id], x.low, x.high)
  }

  mutating func addBroadcastOrPad() throws(Diagnostic) {
    guard let x = pickMovable(rank: 0...4) else { return }
    if random.chance(50) {
      var shape = x.type.shape.map { $0 == 1 ? Dim(random.within(1...3)) : $0 }
      if random.chance(50) { shape.insert(random.pick(symbols.keys.sorted()).map { Dim(symbol: $0) } ?? 2, at: 0) }
      guard fits(shape) else { return }
      try add(Broadcast(shape: shape), [x.id], x.low, x.high)
      return
    }
    guard let storage = x.type.plain, storage != .bool, let extents = concrete(x) else { return }
    var (before, after) = ([Int](), [Int]())
    for extent in extents {
      before.append(extent > 1 && random.chance(10) ? -1 : random.below(2))
      after.append(random.below(3))
    }
    guard fits(zip(x.type.shape, zip(before, after)).map { $0 + ($1.0 + $1.1) }) else { return }
    let value = Double(random.within(0...2))
    try add(Pad(before: before, after: after, value: value), [x.id], min(x.low, value), max(x.high, value))
  }

  /// Arithmetic on extents, and symbols that only the run tells.
  mutating func addExtents() throws(Diagnostic) {
    guard let x = pickMovable(rank: 1...5), let extents = concrete(x) else { return }
    switch random.below(4) {
    case 0:
      let shape = try add(Shape(), [x.id], 0, Double(extents.max() ?? 0))
      if random.chance(50) {
        let two = try constant(Tensor(.i64, [1], integers: [2]), 2, 2)
        let twice = try add(Binary(.mul), [shape.id, two.id], 0, 2 * shape.high)
        try add(Reduce(.prod), [twice.id], 0, Double(extents.reduce(1, *) << extents.count))
      }
    case 1:
      let value = x.type.elementCount + 1
      try add(DimValue(value), [], 1, Double(value.evaluate(symbols) ?? 0))
    case 2 where options.jumps && x.type.plain != nil:
      let symbol = builder.module.freshSymbol("count")
      builder.module.declare(symbol: symbol, in: 0...4 * countLimit)
      try add(NonZero(extent: symbol), [x.id], 0, Double(extents.max() ?? 0))
    default:
      guard depth == 0 else { return }
      let symbol = builder.module.freshSymbol("size")
      builder.module.declare(symbol: symbol, in: 1...8)
      let size = random.within(1...4)
      let scalar = try constant(.scalar(size), Double(size), Double(size))
      try add(Extent(symbol: symbol), [scalar.id], Double(size), Double(size))
      symbols[symbol] = size
    }
  }
}

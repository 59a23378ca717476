import IR
import Support

extension GraphGenerator {
  mutating func addMatMul() throws(Diagnostic) {
    guard
      let a = choose(
        fitting({
          $0.type.rank >= 2 && concrete($0) != nil
            && ($0.element.bits >= 16 && $0.isFloat || $0.type.plain == .u8 || $0.type.plain == .i8)
        }))
    else { return }
    let shape = a.type.shape
    let isInteger = !a.isFloat
    if a.isFloat, random.chance(25) { return try addSelfProduct(a) }
    guard let inner = shape[shape.count - 1].constant else { return }
    let columns = random.pick(options.large ? [1, 5, 16, 17, 33, 64, 70] : [1, 2, 3, 5, 8]) ?? 1
    let bound = isInteger ? 0 : Double(inner) * a.magnitude * 0.5
    guard fits(shape.dropLast() + [Dim(columns)]), bound + 1 <= GraphGenerator.limit else { return }
    let element = isInteger ? ElementType.i8 : a.element
    let (low, high) = isInteger ? (-128.0, 127.0) : (-0.5, 0.5)
    let b: ValueID
    var kind = MatMul()
    if random.chance(30), options.packed {
      let layout = PackedLayout(columns: random.pick([4, 8]) ?? 4, group: isInteger ? 4 : 1)
      b = try weight(element, [inner, columns], low, high, packed: layout)
    } else if random.chance(40) {
      kind.transposeRHS = true
      b = try weight(element, [columns, inner], low, high)
    } else {
      b = try weight(element, [inner, columns], low, high)
    }
    var operands: [ValueID?] = [a.id, b]
    if random.chance(50) { operands.append(try weight(isInteger ? .i32 : a.element, [columns], -1, 1)) }
    if isInteger { try addInteger(kind, operands) } else { try add(kind, operands, -bound - 1, bound + 1) }
  }

  /// `x` times its own transpose, which fits whatever its extents are.
  private mutating func addSelfProduct(_ x: Item) throws(Diagnostic) {
    guard let shape = concrete(x) else { return }
    let lhs = random.chance(50)
    let inner = lhs ? shape[shape.count - 2] : shape[shape.count - 1]
    let outer = lhs ? x.type.shape[shape.count - 1] : x.type.shape[shape.count - 2]
    let bound = Double(inner) * x.magnitude * x.magnitude
    guard fits(x.type.shape.dropLast(2) + [outer, outer]), bound <= GraphGenerator.limit else { return }
    try add(MatMul(transposeLHS: lhs, transposeRHS: !lhs), [x.id, x.id], -bound, bound)
  }

  /// A value that a window may slide over, with the extents the window must fit.
  private mutating func pickImage(_ fits: (Item) -> Bool) -> (Item, [Int])? {
    guard let x = choose(fitting({ (3...5).contains($0.type.rank) && concrete($0) != nil && fits($0) })),
      let shape = concrete(x)
    else {
      return nil
    }
    return (x, Array(shape[1..<shape.count - 1]))
  }

  mutating func addConv() throws(Diagnostic) {
    guard
      let (x, spatial) = pickImage({
        $0.type.shape[$0.type.rank - 1].constant != nil && ($0.isFloat && $0.element.bits >= 16 || $0.type.plain == .u8)
      }), let channels = x.type.shape[x.type.rank - 1].constant
    else { return }
    var (window, strides, padding, dilations) = ([Int](), [Int](), [Int](), [Int]())
    for extent in spatial {
      let pad = random.below(2)
      let size = random.within(1...min(3, extent + 2 * pad))
      window.append(size)
      strides.append(random.within(1...2))
      padding.append(pad)
      dilations.append(size > 1 && 2 * (size - 1) < extent + 2 * pad && random.chance(30) ? 2 : 1)
    }
    padding += padding
    let depthwise = channels > 1 && random.chance(30)
    let groups = depthwise ? channels : 1
    let filters = depthwise ? channels * random.within(1...2) : random.within(1...(options.large ? 40 : 5))
    let perFilter = window.reduce(1, *) * channels / groups
    let bound = Double(perFilter) * x.magnitude * 0.5 + 1
    guard x.type.rank <= 4 || channels <= 4, x.isFloat == false || bound <= GraphGenerator.limit else { return }
    let element = x.isFloat ? x.element : ElementType.i8
    let (low, high) = x.isFloat ? (-0.5, 0.5) : (-128.0, 127.0)
    var kind = Conv(strides: strides, padding: padding, dilations: dilations, groups: groups)
    let w: ValueID
    if random.chance(30), options.packed {
      kind.kernel = window
      let layout = random.chance(70) ? PackedLayout(columns: 4, group: x.isFloat ? 1 : 4) : nil
      w = try weight(element, [perFilter, filters], low, high, packed: layout)
    } else {
      w = try weight(element, [filters] + window + [channels / groups], low, high)
    }
    var operands: [ValueID?] = [x.id, w]
    if random.chance(50) { operands.append(try weight(x.isFloat ? x.element : .i32, [filters], -1, 1)) }
    if x.isFloat { try add(kind, operands, -bound, bound) } else { try addInteger(kind, operands) }
  }

  mutating func addPool() throws(Diagnostic) {
    let average = random.chance(50)
    guard
      let (x, spatial) = pickImage({
        $0.isFloat ? $0.element.bits >= 16 : !average && $0.isInteger && $0.element.bits <= 32
      })
    else { return }
    var (window, strides, padding, dilations) = ([Int](), [Int](), [Int](), [Int]())
    for extent in spatial {
      let size = random.within(1...min(3, extent))
      // Padding smaller than the window and without gaps: every window meets an element.
      let dilation = size > 1 && 2 * (size - 1) < extent && random.chance(30) ? 2 : 1
      window.append(size)
      strides.append(random.within(1...2))
      padding.append(dilation == 1 && size > 1 ? random.below(2) : 0)
      dilations.append(dilation)
    }
    let kind = Pool(
      average ? .average : .max, window: window, strides: strides, padding: padding + padding, dilations: dilations,
      countPadding: average && random.chance(50), ceilMode: random.chance(30))
    try add(kind, [x.id], average ? min(x.low, 0) : x.low, average ? max(x.high, 0) : x.high)
  }

  mutating func addReduce() throws(Diagnostic) {
    guard
      let x = choose(
        fitting({ $0.type.plain != nil && ($0.isInteger || $0.element.bits >= 16 && $0.isFloat) && $0.type.rank > 0 }
        )),
      let function = random.pick(Reduce.Function.allCases)
    else { return }
    guard let shape = concrete(x) else {
      // An extent that only the run tells may be 0, of which only these are sure to have a result.
      if x.isInteger { try addInteger(Reduce(random.chance(50) ? .sum : .max, axes: [x.type.rank - 1]), [x.id]) }
      return
    }
    var axes = (0..<shape.count).filter { _ in random.chance(50) }
    if random.chance(20) { axes = axes.map { $0 - shape.count } }
    let kind = Reduce(function, axes: axes, keepDims: random.chance(50))
    if x.isInteger { try addInteger(kind, [x.id]); return }
    var count = 1
    for axis in axes.isEmpty ? Array(shape.indices) : axes { count *= shape[axis < 0 ? axis + shape.count : axis] }
    switch function {
    case .max, .min, .mean: try add(kind, [x.id], x.low, x.high)
    case .sum:
      let bound = Double(count) * x.magnitude
      if bound <= GraphGenerator.limit { try add(kind, [x.id], x.low >= 0 ? 0 : -bound, bound) }
    case .prod: if count <= 6, x.magnitude <= 4 { try add(kind, [x.id], -4096, 4096) }
    }
  }

  mutating func addSoftmax() throws(Diagnostic) {
    guard let x = pickFloat(rank: 1...5) else { return }
    try add(Softmax(axis: random.within(-x.type.rank...x.type.rank - 1)), [x.id], 0, 1)
  }
}

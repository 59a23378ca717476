import IR
import Support
import Targets

// One block of queries against one block of keys.

extension AttentionEmitter {
  /// Keys `start ..< start + count`: products, their maximum, exponentials, and the weighted sum of values.
  func keyBlock(
    _ block: Block, _ start: LoopValue, _ count: Dim, _ carried: [LoopValue]
  ) -> [LoopValue] {
    let vectors = block.vectors
    let maxima = Array(carried.prefix(vectors))
    turnMask(block, start, count)
    let least = build.float(-.infinity, vector)
    let found = products(block, start, count, maxima)
    // Where nothing was seen yet, any finite number will do: its exponentials are zero.
    let centers = found.map { build.select(build.compare(.eq, $0, least), build.zero(vector), $0) }
    let factors = (0..<vectors).map { scope.math.exp(build.sub(maxima[$0], centers[$0])) }
    let sums = (0..<vectors).map { build.mul(carried[vectors + $0], factors[$0]) }
    let total = exponentials(count, centers, sums)
    weightValues(block, start, count, factors)
    return found + total
  }

  private func turnMask(_ block: Block, _ start: LoopValue, _ count: Dim) {
    guard let bias = locals.bias, let places = locals.maskAt, let mask, let maskForm, let view = plan.mask else {
      return
    }
    let count = scope.index(count)
    for number in 0..<block.vectors {
      func keep(_ key: LoopValue, _ value: LoopValue) {
        store(value, bias, build.mul(key, block.vectors * lanes), offset: number * lanes)
      }
      if view.strides[3] == 1 {
        turned(mask, maskForm, places, number, count, from: start, addend, keep)
      } else {
        build.forEach(build.index(0), count) { key in
          let positions = build.load(LoopType(.i64, lanes: lanes), Address(places, build.index(number * lanes)))
          let step = build.mul(build.add(start, key), scope.index(view.strides[3]))
          let moved = build.add(positions, build.splat(step, lanes: lanes))
          keep(key, addend(scope.read(mask, maskForm, positions: moved)))
        }
      }
    }
  }

  /// What a mask's elements add to products.
  private func addend(_ element: LoopValue) -> LoopValue {
    let type = build.type(element)
    guard type.scalar == .i1 else { return element }
    let float = type.with(multiplication.panelScalar)
    return build.select(element, build.zero(float), build.float(-.infinity, float))
  }

  /// Stores the products of a block of keys, and gives the greatest of them and of `maxima`.
  private func products(
    _ block: Block, _ start: LoopValue, _ count: Dim, _ maxima: [LoopValue]
  ) -> [LoopValue] {
    let emitter = tileEmitter(references.k, locals.queries, block.vectors)
    let stride = plan.k.strides[2]
    return tiles(count, carrying: maxima) { first, height, carried in
      let key = build.add(start, first)
      let base = build.add(block.keyBase, build.mul(key, scope.index(stride)))
      let segment = TileSegment(
        rowOffsets: Array(repeating: 0, count: height), length: Dim(plan.width), step: 1, start: 0)
      let sums = emitter.emit(
        rows: rows(base, height, stride), segments: [segment], panelBase: build.index(0))
      var found = carried
      for (row, line) in sums.enumerated() {
        let number = build.add(key, row)
        let shared = sharedMask(block, number)
        let short = build.convert(.truncate, number, to: LoopType(.i32))
        for (place, sum) in line.enumerated() {
          let at = build.mul(first, block.vectors * lanes)
          let offset = (row * block.vectors + place) * lanes
          var value = capped(sum)
          if let shared { value = build.add(value, build.splat(shared, lanes: lanes)) }
          if let bias = locals.bias { value = build.add(value, load(bias, at, offset: offset)) }
          value = bounded(value, short, block, place)
          found[place] = build.max(value, found[place])
          store(value, locals.weights, at, offset: offset)
        }
      }
      return found
    }
  }

  private func sharedMask(_ block: Block, _ key: LoopValue) -> LoopValue? {
    guard let base = block.maskBase, let mask, let maskForm, let view = plan.mask else { return nil }
    let position = build.add(base, build.mul(key, scope.index(view.strides[3])))
    return addend(scope.read(mask, maskForm, at: position, stride: 1, lanes: 1))
  }

  private func capped(_ product: LoopValue) -> LoopValue {
    guard attention.softCap > 0 else { return product }
    let cap = build.float(attention.softCap, vector)
    return build.mul(scope.math.tanh(build.div(product, cap)), cap)
  }

  private func bounded(_ product: LoopValue, _ key: LoopValue, _ block: Block, _ place: Int) -> LoopValue {
    if block.lower.isEmpty && block.upper.isEmpty { return product }
    let keys = build.splat(key, lanes: lanes)
    let hidden = build.float(-.infinity, vector)
    var value = product
    if !block.upper.isEmpty { value = build.select(build.compare(.le, keys, block.upper[place]), value, hidden) }
    if !block.lower.isEmpty { value = build.select(build.compare(.ge, keys, block.lower[place]), value, hidden) }
    return value
  }

  /// Replaces products by exponentials of their distance to the centers, and adds them up.
  private func exponentials(_ count: Dim, _ centers: [LoopValue], _ sums: [LoopValue]) -> [LoopValue] {
    let vectors = centers.count
    func step(_ key: LoopValue, _ ahead: Int, _ carried: [LoopValue]) -> [LoopValue] {
      (0..<vectors).map { place in
        let at = build.mul(key, vectors * lanes)
        let offset = (ahead * vectors + place) * lanes
        let product = load(locals.weights, at, offset: offset)
        let weight = scope.math.exp(build.sub(product, centers[place]))
        store(weight, locals.weights, at, offset: offset)
        return build.add(carried[place], weight)
      }
    }
    // Two keys in one turn, so that there are always a few independent exponentials.
    let end = scope.index(count)
    let whole = scope.wholeVectors(build.index(0), end, lanes: 2)
    let most = build.forLoop(build.index(0), whole, step: 2, carrying: sums) { key, carried in
      step(key, 1, step(key, 0, carried))
    }
    return build.forLoop(whole, end, carrying: most) { key, carried in step(key, 0, carried) }
  }

  /// Scales the sums so far and adds the values of a block, weighted.
  private func weightValues(_ block: Block, _ start: LoopValue, _ count: Dim, _ factors: [LoopValue]) {
    let vectors = block.vectors
    let emitter = tileEmitter(references.v, locals.weights, vectors)
    let stride = plan.v.strides[2]
    let base = build.add(block.valueBase, build.mul(start, scope.index(stride)))
    _ = tiles(Dim(plan.valueWidth), carrying: []) { first, height, _ in
      let at = build.mul(first, vectors * lanes)
      let before = (0..<height).map { row in
        (0..<vectors).map { place in
          build.mul(load(locals.sums, at, offset: (row * vectors + place) * lanes), factors[place])
        }
      }
      let segment = TileSegment(rowOffsets: Array(repeating: 0, count: height), length: count, step: stride, start: 0)
      let sums = emitter.emit(
        rows: rows(build.add(base, first), height, 1), segments: [segment], panelBase: build.index(0),
        continuing: before)
      for (row, line) in sums.enumerated() {
        for (place, sum) in line.enumerated() {
          store(sum, locals.sums, at, offset: (row * vectors + place) * lanes)
        }
      }
      return []
    }
  }

  private func tileEmitter(_ left: BufferReference, _ panel: BufferReference, _ vectors: Int) -> TileEmitter {
    TileEmitter(
      scope: scope, multiplication: multiplication, left: left, panel: panel, vectors: vectors, panelVectors: vectors,
      unroll: plan.tile.unroll)
  }

  private func rows(_ base: LoopValue, _ height: Int, _ stride: Dim) -> [TileRow] {
    (0..<height).map { number in
      if let constant = stride.constant { return TileRow(base: base, offset: number * constant) }
      return TileRow(base: build.add(base, scope.index(stride * number)), offset: 0)
    }
  }

  /// Cuts `0 ..< count` into tiles: even ones where the count is known, else full ones and a tail of 8, 4, 2, 1.
  private func tiles(
    _ count: Dim, carrying initial: [LoopValue], _ body: (LoopValue, Int, [LoopValue]) -> [LoopValue]
  ) -> [LoopValue] {
    let tallest = plan.tile.rows
    var carried = initial
    if let total = count.constant {
      guard total > 0 else { return carried }
      let pieces = (total + tallest - 1) / tallest
      let (height, taller) = (total / pieces, total % pieces)
      let border = taller * (height + 1)
      carried = build.forLoop(build.index(0), build.index(border), step: height + 1, carrying: carried) {
        body($0, height + 1, $1)
      }
      return build.forLoop(build.index(border), build.index(total), step: Swift.max(1, height), carrying: carried) {
        body($0, height, $1)
      }
    }
    let total = scope.index(count)
    let whole = scope.wholeVectors(build.index(0), total, lanes: tallest)
    carried = build.forLoop(build.index(0), whole, step: tallest, carrying: carried) { body($0, tallest, $1) }
    var place = whole
    for height in [8, 4, 2, 1] where height < tallest {
      let most = scope.wholeVectors(place, total, lanes: height)
      carried = build.forLoop(place, most, step: height, carrying: carried) { body($0, height, $1) }
      place = most
    }
    return carried
  }
}

import IR
import Support
import Targets

/// Emits one block of queries of an attention.
final class AttentionEmitter {
  private let scope: KernelScope
  private let plan: AttentionGenerator
  private let form: ElementForm
  private let maskForm: ElementForm?
  private let references: (q: BufferReference, k: BufferReference, v: BufferReference, result: BufferReference)
  private let mask: BufferReference?
  private let sinks: BufferReference?
  private let locals: Locals

  /// Arrays of a block. Rows of `queries`, `weights`, `sums` and `bias` are as wide as the block has lanes.
  private struct Locals {
    /// `[width, lanes]`, scaled.
    var queries: BufferReference
    /// `[keys, lanes]`: products, then their exponentials.
    var weights: BufferReference
    /// `[value width, lanes]`.
    var sums: BufferReference
    /// `[keys, lanes]`: the mask, where lanes differ in it.
    var bias: BufferReference?
    /// By lane: where its rows start in q, in the result and in the mask.
    var queryAt: BufferReference
    var resultAt: BufferReference
    var maskAt: BufferReference?
    /// By lane: the number of the query; the product of the sink.
    var number: BufferReference
    var sink: BufferReference?
  }

  /// What holds throughout one block.
  private struct Block {
    var vectors: Int
    var batch: LoopValue
    var keyHead: LoopValue
    var first: LoopValue
    var keyBase: LoopValue
    var valueBase: LoopValue
    /// Where the mask starts, where all lanes share it.
    var maskBase: LoopValue?
    /// By vector: the first and last key a lane sees, as i32.
    var lower: [LoopValue]
    var upper: [LoopValue]
  }

  private var build: KernelBuilder { scope.build }
  private var multiplication: Multiplication { plan.multiplication }
  private var lanes: Int { multiplication.lanes }
  private var vector: LoopType { multiplication.accumulator }
  private var attention: Attention { plan.attention }

  init(_ scope: KernelScope, _ plan: AttentionGenerator) throws(Diagnostic) {
    self.scope = scope
    self.plan = plan
    let form = try ElementForm(plan.q.element)
    self.form = form
    maskForm = try plan.mask.map { view throws(Diagnostic) in try ElementForm(view.element) }
    references = (
      scope.buffer(plan.q.buffer, form.memory, .read), scope.buffer(plan.k.buffer, form.memory, .read),
      scope.buffer(plan.v.buffer, form.memory, .read), scope.buffer(plan.result.buffer, form.memory, .write)
    )
    if let view = plan.mask, let maskForm {
      mask = scope.buffer(view.buffer, maskForm.memory, .read)
    } else {
      mask = nil
    }
    sinks = plan.sinks.map { scope.buffer($0, form.memory, .read) }
    let (build, scalar, wide) = (scope.build, plan.multiplication.panelScalar, plan.blockRows)
    let sharesMask = plan.mask.map { AttentionEmitter.isShared($0, plan) } ?? true
    locals = Locals(
      queries: build.local("queries", scalar, count: Swift.max(1, plan.width) * wide),
      weights: build.local("weights", scalar, count: plan.blockKeys * wide),
      sums: build.local("sums", scalar, count: Swift.max(1, plan.valueWidth) * wide),
      bias: sharesMask ? nil : build.local("bias", scalar, count: plan.blockKeys * wide),
      queryAt: build.local("query_at", .i64, count: wide), resultAt: build.local("result_at", .i64, count: wide),
      maskAt: sharesMask ? nil : build.local("mask_at", .i64, count: wide),
      number: build.local("number", .i64, count: wide),
      sink: plan.sinks == nil ? nil : build.local("sink", scalar, count: wide))
  }

  /// Whether all queries of a block have the same mask.
  private static func isShared(_ mask: TensorView, _ plan: AttentionGenerator) -> Bool {
    mask.strides[2] == 0 && (plan.group == 1 || mask.strides[1] == 0)
  }

  func emitBlock(batch: LoopValue, keyHead: LoopValue, first: LoopValue, vectors: Int) {
    func base(_ view: TensorView) -> LoopValue {
      scope.position(view.offset, [batch, keyHead], Array(view.strides.prefix(2)))
    }
    var block = Block(
      vectors: vectors, batch: batch, keyHead: keyHead, first: first, keyBase: base(plan.k), valueBase: base(plan.v),
      lower: [], upper: [])
    if let view = plan.mask, AttentionEmitter.isShared(view, plan) {
      let head = build.mul(keyHead, scope.index(plan.group))
      block.maskBase = scope.position(view.offset, [batch, head], Array(view.strides.prefix(2)))
    }
    placeLanes(block)
    (block.lower, block.upper) = bounds(vectors)
    turnQueries(vectors)
    let zero = build.zero(vector)
    build.forEach(build.index(0), build.index(plan.valueWidth * vectors)) { number in
      store(zero, locals.sums, build.mul(number, lanes))
    }

    // The greatest product so far, then the sum of exponentials, a lane a query.
    var carried: [LoopValue]
    if let sink = locals.sink {
      let starts = (0..<vectors).map { load(sink, build.index($0 * lanes)) }
      let least = build.float(-.infinity, vector)
      let sums = starts.map {
        build.select(build.compare(.eq, $0, least), zero, build.float(1, vector))
      }
      carried = starts + sums
    } else {
      carried = (0..<vectors).map { _ in build.float(-.infinity, vector) } + (0..<vectors).map { _ in zero }
    }
    carried = overKeys(block, carried)
    writeResult(block, sums: Array(carried.suffix(vectors)))
  }

  // MARK: Queries

  /// Writes down where each lane's query and result lie. Lanes beyond the last row repeat it.
  private func placeLanes(_ block: Block) {
    let last = build.sub(scope.index(plan.rows), build.index(1))
    build.forEach(build.index(0), build.index(block.vectors * lanes)) { lane in
      let row = build.min(build.add(block.first, lane), last)
      let (within, query) = split(row)
      let head = build.add(build.mul(block.keyHead, scope.index(plan.group)), within)
      func place(_ view: TensorView, _ local: BufferReference) {
        let position = scope.position(
          view.offset, [block.batch, head, query], Array(view.strides.prefix(3)))
        build.store(position, Address(local, lane))
      }
      place(plan.q, locals.queryAt)
      place(plan.result, locals.resultAt)
      if let view = plan.mask, let local = locals.maskAt { place(view, local) }
      build.store(query, Address(locals.number, lane))
      if let sinks, let sink = locals.sink {
        let value = scope.read(sinks, form, at: head, stride: 1, lanes: 1)
        build.store(build.convert(.floatExtend, value, to: LoopType(multiplication.panelScalar)), Address(sink, lane))
      }
    }
  }

  /// The head within its group, and the query, of a row.
  private func split(_ row: LoopValue) -> (head: LoopValue, query: LoopValue) {
    if plan.group == 1 { return (build.index(0), row) }
    if plan.queries == 1 { return (row, build.index(0)) }
    let head = build.div(row, scope.index(plan.queries))
    return (head, build.sub(row, build.mul(head, scope.index(plan.queries))))
  }

  /// The first and the last key that each lane sees, clamped to what i32 holds.
  private func bounds(_ vectors: Int) -> (lower: [LoopValue], upper: [LoopValue]) {
    func bound(_ distance: Int) -> [LoopValue] {
      (0..<vectors).map { number in
        let query = build.load(LoopType(.i64, lanes: lanes), Address(locals.number, build.index(number * lanes)))
        let shift = build.add(scope.index(attention.offset), distance)
        let position = build.add(query, build.splat(shift, lanes: lanes))
        let limit = { (value: Int) in self.build.integer(value, LoopType(.i64, lanes: self.lanes)) }
        let clamped = build.max(build.min(position, limit(Int(Int32.max))), limit(-1))
        return build.convert(.truncate, clamped, to: LoopType(.i32, lanes: lanes))
      }
    }
    return (
      attention.before < 0 ? [] : bound(-attention.before), attention.after < 0 ? [] : bound(attention.after)
    )
  }

  private func turnQueries(_ vectors: Int) {
    let scale = build.float(attention.scale, vector)
    for number in 0..<vectors {
      turned(references.q, form, locals.queryAt, number, build.index(plan.width), { $0 }) { element, value in
        store(build.mul(value, scale), locals.queries, build.mul(element, vectors * lanes), offset: number * lanes)
      }
    }
  }

  /// Elements `0 ..< count` of as many rows as there are lanes, by element: one lane a row.
  private func turned(
    _ source: BufferReference, _ form: ElementForm, _ places: BufferReference, _ number: Int, _ count: LoopValue,
    from start: LoopValue? = nil, _ convert: (LoopValue) -> LoopValue, _ body: (LoopValue, LoopValue) -> Void
  ) {
    let zero = build.index(0)
    let whole = scope.wholeVectors(zero, count, lanes: lanes)
    func shifted(_ element: LoopValue) -> LoopValue { start.map { build.add($0, element) } ?? element }
    build.forEach(zero, whole, step: lanes) { element in
      let rows = (0..<lanes).map { lane in
        let place = build.load(.index, Address(places, build.index(number * lanes + lane)))
        return convert(
          scope.read(source, form, at: build.add(place, shifted(element)), stride: 1, lanes: lanes))
      }
      for (step, value) in build.turned(rows).enumerated() { body(build.add(element, step), value) }
    }
    build.forEach(whole, count) { element in
      let positions = build.load(LoopType(.i64, lanes: lanes), Address(places, build.index(number * lanes)))
      let moved = build.add(positions, build.splat(shifted(element), lanes: lanes))
      body(element, convert(scope.read(source, form, positions: moved)))
    }
  }

  // MARK: Keys

  /// All blocks of keys that some lane sees.
  private func overKeys(_ block: Block, _ initial: [LoopValue]) -> [LoopValue] {
    let size = plan.blockKeys
    let full = scope.index(plan.keys.floorDivided(by: Dim(size)))
    let (start, end) = visible(block)
    let from = start.map { build.min(build.div($0, build.index(size)), full) } ?? build.index(0)
    let to = end.map { build.min(build.ceilDiv($0, size), full) } ?? full
    let whole = build.forLoop(from, to, carrying: initial) { number, carried in
      keyBlock(block, build.mul(number, size), Dim(size), carried)
    }
    let rest = plan.keys.modulo(Dim(size))
    if rest == 0 { return whole }
    let firstRest = build.mul(full, size)
    let count = scope.index(rest)
    let zero = build.index(0)
    var isSeen = build.compare(.gt, count, zero)
    if let end { isSeen = build.binary(.and, isSeen, build.compare(.gt, end, firstRest)) }
    return build.ifElse(
      isSeen, then: { keyBlock(block, firstRest, rest, whole) }, else: { whole })
  }

  /// The keys that some lane may see, from the first to behind the last; nil where nothing bounds them.
  private func visible(_ block: Block) -> (start: LoopValue?, end: LoopValue?) {
    if attention.before < 0 && attention.after < 0 { return (nil, nil) }
    let one = build.index(1)
    let last = build.min(
      build.add(block.first, block.vectors * lanes - 1), build.sub(scope.index(plan.rows), one))
    let (low, high) = (split(block.first), split(last))
    var (least, greatest) = (low.query, high.query)
    if plan.group != 1, plan.queries != 1 {
      let isOneHead = build.compare(.eq, low.head, high.head)
      least = build.select(isOneHead, least, build.index(0))
      greatest = build.select(isOneHead, greatest, build.sub(scope.index(plan.queries), one))
    }
    let keys = scope.index(plan.keys)
    let offset = scope.index(attention.offset)
    func clamped(_ position: LoopValue) -> LoopValue { build.max(build.min(position, keys), build.index(0)) }
    let start =
      attention.before < 0
      ? nil : clamped(build.sub(build.add(least, offset), build.index(attention.before)))
    let end = attention.after < 0 ? nil : clamped(build.add(build.add(greatest, offset), attention.after + 1))
    return (start, end)
  }

  /// Keys `start ..< start + count`: products, their maximum, exponentials, and the weighted sum of values.
  private func keyBlock(
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

  // MARK: Result

  private func writeResult(_ block: Block, sums: [LoopValue]) {
    let zero = build.zero(vector)
    let wide = block.vectors * lanes
    for number in 0..<block.vectors {
      // A query that saw nothing has a sum of zero; its values are zeros already.
      let sees = build.compare(.ne, sums[number], zero)
      let factor = build.select(sees, build.div(build.float(1, vector), sums[number]), zero)
      func value(_ element: LoopValue, _ step: Int) -> LoopValue {
        build.mul(load(locals.sums, build.mul(element, wide), offset: step * wide + number * lanes), factor)
      }
      func write(_ lane: Int, _ value: LoopValue, _ element: LoopValue) {
        let row = build.add(block.first, number * lanes + lane)
        build.ifElse(
          build.compare(.lt, row, scope.index(plan.rows)),
          then: {
            let place = build.load(.index, Address(locals.resultAt, build.index(number * lanes + lane)))
            scope.write(value, to: references.result, form, at: build.add(place, element), stride: 1)
            return []
          })
      }
      let whole = plan.valueWidth / lanes * lanes
      build.forEach(build.index(0), build.index(whole), step: lanes) { element in
        let columns = (0..<lanes).map { value(element, $0) }
        for (lane, row) in build.turned(columns).enumerated() { write(lane, row, element) }
      }
      build.forEach(build.index(whole), build.index(plan.valueWidth)) { element in
        let column = value(element, 0)
        for lane in 0..<lanes { write(lane, lanes == 1 ? column : build.extract(column, lane: lane), element) }
      }
    }
  }

  private func load(_ local: BufferReference, _ index: LoopValue, offset: Int = 0) -> LoopValue {
    build.load(vector, Address(local, index, offset: offset), alignment: vector.bytes)
  }

  private func store(_ value: LoopValue, _ local: BufferReference, _ index: LoopValue, offset: Int = 0) {
    build.store(value, Address(local, index, offset: offset), alignment: vector.bytes)
  }
}

import IR
import Support
import Targets

/// Emits one block of queries of an attention; what it does with a block of keys is in `AttentionKeyBlock.swift`.
final class AttentionEmitter {
  let scope: KernelScope
  let plan: AttentionGenerator
  let form: ElementForm
  let maskForm: ElementForm?
  let references: (q: BufferReference, k: BufferReference, v: BufferReference, result: BufferReference)
  let mask: BufferReference?
  let sinks: BufferReference?
  let locals: Locals

  /// Arrays of a block. Rows of `queries`, `weights`, `sums` and `bias` are as wide as the block has lanes.
  struct Locals {
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
  struct Block {
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

  var build: KernelBuilder { scope.build }
  var multiplication: Multiplication { plan.multiplication }
  var lanes: Int { multiplication.lanes }
  var vector: LoopType { multiplication.accumulator }
  var attention: Attention { plan.attention }

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
  func turned(
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

  func load(_ local: BufferReference, _ index: LoopValue, offset: Int = 0) -> LoopValue {
    build.load(vector, Address(local, index, offset: offset), alignment: vector.bytes)
  }

  func store(_ value: LoopValue, _ local: BufferReference, _ index: LoopValue, offset: Int = 0) {
    build.store(value, Address(local, index, offset: offset), alignment: vector.bytes)
  }
}

import IR
import Support

/// Rows scaled by their own statistics: layer and root-mean-square normalisation.
///
/// A row is read for its mean, again for its deviation from that, and a last time to be written; after the first time
/// it comes from the nearest cache. The deviation is that from the mean already known, so that nothing cancels. A few
/// rows go together, so that one does not wait for the sum of its lanes alone, and share what they are multiplied by.
struct RowNormalizationGenerator {
  let rows: Dim
  let length: Dim
  let source: TensorView
  /// Of one row each; contiguous.
  let scale: TensorView?
  let bias: TensorView?
  let target: TensorView
  let subtractsMean: Bool
  let epsilon: Double

  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 8192
  private static let rowsAtOnce = 4

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let emitter = try RowNormalizationEmitter(scope, self)
    // Rows are written by the last of the passes over them.
    scope.mayOverwrite(source.buffer, with: target.buffer)
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, length.constant ?? 256))
    let together = rows.constant.map { Swift.max(1, Swift.min($0, Self.rowsAtOnce)) } ?? Self.rowsAtOnce
    scope.partition(rows, grain: grain) { first, last in
      let whole = scope.wholeVectors(first, last, lanes: together)
      build.forEach(first, whole, step: together) { emitter.emit($0, together) }
      if together > 1 { build.forEach(whole, last) { emitter.emit($0, 1) } }
    }
  }
}

private struct RowNormalizationEmitter {
  let scope: KernelScope
  let plan: RowNormalizationGenerator
  let form: ElementForm
  let from: BufferReference
  let scale: BufferReference?
  let bias: BufferReference?
  let to: BufferReference
  let lanes: Int

  private static let longestChain = 32

  private var build: KernelBuilder { scope.build }
  private var end: LoopValue { scope.index(plan.length) }

  init(_ scope: KernelScope, _ plan: RowNormalizationGenerator) throws(Diagnostic) {
    let form = try ElementForm(plan.source.element)
    self.scope = scope
    self.plan = plan
    self.form = form
    from = scope.buffer(plan.source.buffer, form.memory, .read)
    scale = plan.scale.map { scope.buffer($0.buffer, form.memory, .read) }
    bias = plan.bias.map { scope.buffer($0.buffer, form.memory, .read) }
    to = scope.buffer(plan.target.buffer, form.memory, .write)
    lanes = scope.profile.lanes(bits: form.register.bits)
  }

  /// Rows `first ..< first + count`.
  func emit(_ first: LoopValue, _ count: Int) {
    let scalar = LoopType(form.register)
    let bases = (0..<count).map { build.mul(build.add(first, $0), end) }
    let centers = plan.subtractsMean ? means(bases) { $1 } : nil
    func centered(_ row: Int, _ value: LoopValue) -> LoopValue {
      guard let centers else { return value }
      return build.sub(value, build.splat(centers[row], lanes: build.type(value).lanes))
    }
    let squares = means(bases) { row, value in
      let distance = centered(row, value)
      return build.mul(distance, distance)
    }
    let factors = squares.map { square in
      build.div(
        build.float(1, scalar), build.unary(.sqrt, build.add(square, build.float(plan.epsilon, scalar))))
    }
    let block = lanes * 2
    let whole = scope.wholeVectors(build.index(0), end, lanes: block)
    func write(_ i: LoopValue, _ lanes: Int, _ mask: LoopValue?) {
      func factor(_ source: BufferReference) -> LoopValue {
        scope.read(source, form, at: i, stride: 1, lanes: lanes, mask: mask)
      }
      let (scales, addends) = (scale.map(factor), bias.map(factor))
      for row in 0..<count {
        let distance = centered(row, read(bases[row], i, lanes, mask))
        var value = build.mul(distance, build.splat(factors[row], lanes: lanes))
        switch (scales, addends) {
        case (let scales?, let addends?): value = scope.math.multiplyAdd(value, scales, addends)
        case (let scales?, nil): value = build.mul(value, scales)
        case (nil, let addends?): value = build.add(value, addends)
        case (nil, nil): break
        }
        scope.write(value, to: to, form, at: build.add(bases[row], i), stride: 1, mask: mask)
      }
    }
    build.forEach(build.index(0), whole, step: block) { i in
      write(i, lanes, nil)
      write(build.add(i, lanes), lanes, nil)
    }
    scope.span(whole, end, lanes: lanes, write)
  }

  private func read(_ base: LoopValue, _ i: LoopValue, _ lanes: Int, _ mask: LoopValue?) -> LoopValue {
    scope.read(from, form, at: build.add(base, i), stride: 1, lanes: lanes, mask: mask)
  }

  /// The mean of what `value` makes of the elements, of each row.
  private func means(_ bases: [LoopValue], _ value: (_ row: Int, _ element: LoopValue) -> LoopValue) -> [LoopValue] {
    // As many sums at once as hide the time an addition takes.
    let vectors = Swift.max(1, 8 / bases.count)
    let sums = bases.map { _ in
      RowAccumulators(scope: scope, combination: Combination(.sum, of: form), lanes: lanes, vectors: vectors)
    }
    let initial = sums.flatMap { $0.initial() }
    let each = initial.count / bases.count
    func run(_ from: LoopValue, _ to: LoopValue, _ carried: [LoopValue]) -> [LoopValue] {
      sums[0].accumulate(from, to, carried, rows: bases.count) { row, i, lanes, mask in
        value(row, read(bases[row], i, lanes, mask))
      }
    }
    // Chains of additions stay short where rows are long.
    let chain = Self.longestChain * lanes * vectors
    let (zero, isShort) = (build.index(0), plan.length.constant.map { $0 <= chain } ?? false)
    let partial =
      isShort
      ? run(zero, end, initial)
      : build.forLoop(zero, end, step: chain, carrying: initial) { i, carried in
        zip(carried, run(i, build.min(build.add(i, chain), end), initial)).map { build.add($0, $1) }
      }
    let count = build.convert(.signedToFloat, end, to: LoopType(form.register))
    return bases.indices.map { row in
      build.div(sums[row].total(Array(partial[row * each..<(row + 1) * each])), count)
    }
  }
}

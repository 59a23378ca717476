import IR
import Support

/// Combines elements along some axes of any strided tensors.
///
/// Where the innermost axis is reduced, vectors run along it and their lanes are
/// joined at the end; where it is kept, each lane is a result of its own. Threads
/// share the kept axes.
struct ReduceGenerator {
  let shape: [Dim]
  let reduced: [Bool]
  /// Their strides run over `shape`.
  let inputs: [TensorView]
  /// Its strides run over `shape` too: zero along reduced axes.
  let output: TensorView
  let combination: Combination
  /// What is combined, from the inputs' elements in register form.
  let body: (KernelScope, [LoopValue]) throws(Diagnostic) -> LoopValue
  /// The result in register form, from what came out of combining.
  let finish: (KernelScope, LoopValue) throws(Diagnostic) -> LoopValue

  private struct Axis {
    var extent: Dim
    var isReduced: Bool
    /// Of the inputs, then of the output.
    var strides: [Dim]
  }

  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 16384
  private static let accumulators = 4

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let inputForms = try inputs.map { view throws(Diagnostic) in try ElementForm(view.element) }
    let outputForm = try ElementForm(output.element)
    let widest = Swift.max(inputForms.map(\.register.bits).max() ?? 32, combination.scalar.bits)
    let emitter = ReduceEmitter(
      scope: scope, generator: self, inputForms: inputForms, outputForm: outputForm,
      sources: inputs.enumerated().map { scope.buffer($1.buffer, inputForms[$0].memory, .read) },
      target: scope.buffer(output.buffer, outputForm.memory, .write),
      lanes: scope.profile.lanes(bits: Swift.max(8, widest)))

    let axes = mergedAxes()
    let kept = axes.filter { !$0.isReduced }
    let gone = axes.filter(\.isReduced)
    emitter.reducedExtents = gone.isEmpty ? [1] : gone.map(\.extent)
    emitter.reducedStrides =
      gone.isEmpty ? [Array(repeating: 0, count: inputs.count)] : gone.map { Array($0.strides.dropLast()) }
    let elements = emitter.reducedExtents.reduce(Dim(1), *)
    if let last = axes.last, !last.isReduced {
      try lanesOfResults(scope, emitter, outer: Array(kept.dropLast()), inner: last, elements)
    } else {
      try lanesOfOne(scope, emitter, kept, elements)
    }
  }

  /// The innermost axis is reduced: one result at a time.
  private func lanesOfOne(
    _ scope: KernelScope, _ emitter: ReduceEmitter, _ kept: [Axis], _ elements: Dim
  ) throws(Diagnostic) {
    let build = scope.build
    let row = emitter.reducedExtents[emitter.reducedExtents.count - 1].constant
    let lanes = emitter.lanes
    let vectors = row.map { Swift.max(1, Swift.min(Self.accumulators, $0 / lanes)) } ?? Self.accumulators
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, elements.constant ?? 256))
    scope.partition(kept.reduce(Dim(1)) { $0 * $1.extent }, grain: grain) { from, to in
      build.forEach(from, to) { unit in
        let indices = scope.decompose(unit, kept.map(\.extent))
        let (bases, target) = places(scope, kept, indices)
        let rows = RowAccumulators(scope: scope, combination: combination, lanes: lanes, vectors: vectors)
        let partial = emitter.rows(0, bases, rows, rows.initial())
        emitter.store(rows.total(partial), at: target, stride: 1, mask: nil)
      }
    }
    if let failure = emitter.failure { throw failure }
  }

  /// The innermost axis is kept: a lane for each result.
  private func lanesOfResults(
    _ scope: KernelScope, _ emitter: ReduceEmitter, outer: [Axis], inner: Axis, _ elements: Dim
  ) throws(Diagnostic) {
    let build = scope.build
    let lanes = emitter.lanes
    let vectors = inner.extent.constant.map { Swift.max(1, Swift.min(Self.accumulators, $0 / lanes)) } ?? 4
    let block = vectors * lanes
    // The same in the last block, though it has one vector at a time: equal columns have equal sums, and what softmax
    // makes of large ones shows any other order.
    let rows = vectors == 1 ? ReduceEmitter.rowsAtOnce : 1
    let blocks = inner.extent.ceilDivided(by: Dim(block))
    let perUnit = (elements * block).constant ?? 256 * block
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, perUnit))
    scope.partition(outer.reduce(blocks) { $0 * $1.extent }, grain: grain) { from, to in
      build.forEach(from, to) { unit in
        let indices = scope.decompose(unit, outer.map(\.extent) + [blocks])
        let (bases, target) = places(scope, outer, Array(indices.dropLast()))
        let start = build.mul(indices[indices.count - 1], block)
        let width = scope.index(inner.extent)

        func emit(_ column: LoopValue, _ vectors: Int, _ lanes: Int, _ mask: LoopValue?) {
          let columns = bases.indices.map { build.add(bases[$0], build.mul(column, scope.index(inner.strides[$0]))) }
          let sums = emitter.columns(
            columns, Array(inner.strides.dropLast()), vectors: vectors, rows: rows, lanes: lanes, mask: mask)
          let stride = inner.strides[inner.strides.count - 1]
          for (number, sum) in sums.enumerated() {
            let place = build.add(column, number * lanes)
            emitter.store(
              sum, at: build.add(target, build.mul(place, scope.index(stride))), stride: stride, mask: mask)
          }
        }
        func full() -> [LoopValue] {
          emit(start, vectors, lanes, nil)
          return []
        }
        func rest() -> [LoopValue] {
          scope.span(start, build.min(build.add(start, block), width), lanes: lanes) { column, lanes, mask in
            emit(column, 1, lanes, mask)
          }
          return []
        }
        if let extent = inner.extent.constant, extent % block == 0 || extent < block {
          _ = extent < block ? rest() : full()
        } else {
          build.ifElse(build.compare(.le, build.add(start, block), width), then: full, else: rest)
        }
      }
    }
    if let failure = emitter.failure { throw failure }
  }

  private func places(
    _ scope: KernelScope, _ axes: [Axis], _ indices: [LoopValue]
  ) -> (inputs: [LoopValue], output: LoopValue) {
    let sources = inputs.indices.map { number in
      scope.position(inputs[number].offset, indices, axes.map { $0.strides[number] })
    }
    return (sources, scope.position(output.offset, indices, axes.map { $0.strides[inputs.count] }))
  }

  /// Drops axes of extent one and merges neighbours of one kind that every view walks as one.
  private func mergedAxes() -> [Axis] {
    var result: [Axis] = []
    for axis in shape.indices where shape[axis] != 1 {
      let strides = inputs.map { $0.strides[axis] } + [output.strides[axis]]
      if let last = result.last, last.isReduced == reduced[axis],
        strides.indices.allSatisfy({ last.strides[$0] == strides[$0] * shape[axis] })
      {
        result[result.count - 1] = Axis(extent: last.extent * shape[axis], isReduced: reduced[axis], strides: strides)
      } else {
        result.append(Axis(extent: shape[axis], isReduced: reduced[axis], strides: strides))
      }
    }
    return result
  }
}

/// Emits the loops over reduced axes.
final class ReduceEmitter {
  let scope: KernelScope
  let generator: ReduceGenerator
  let inputForms: [ElementForm]
  let outputForm: ElementForm
  let sources: [BufferReference]
  let target: BufferReference
  let lanes: Int
  var reducedExtents: [Dim] = []
  /// By axis, then by input.
  var reducedStrides: [[Dim]] = []
  private(set) var failure: Diagnostic?

  /// Rows that are combined apart where a result has one vector only.
  static let rowsAtOnce = 4
  /// Additions of floats in a row.
  private static let longestChain = 32

  init(
    scope: KernelScope, generator: ReduceGenerator, inputForms: [ElementForm], outputForm: ElementForm,
    sources: [BufferReference], target: BufferReference, lanes: Int
  ) {
    self.scope = scope
    self.generator = generator
    self.inputForms = inputForms
    self.outputForm = outputForm
    self.sources = sources
    self.target = target
    self.lanes = lanes
  }

  private func value(
    _ bases: [LoopValue], _ strides: [Dim], lanes: Int, mask: LoopValue?
  ) -> LoopValue {
    let elements = sources.indices.map { number in
      scope.read(
        sources[number], inputForms[number], at: bases[number], stride: strides[number], lanes: lanes, mask: mask)
    }
    do throws(Diagnostic) { return try generator.body(scope, elements) } catch {
      failure = error
      return generator.combination.identity(scope.build, lanes: lanes)
    }
  }

  private func advanced(_ bases: [LoopValue], _ index: LoopValue, _ strides: [Dim]) -> [LoopValue] {
    bases.indices.map { scope.build.add(bases[$0], scope.build.mul(index, scope.index(strides[$0]))) }
  }

  /// All rows from axis `axis` on, vectors along the last.
  func rows(_ axis: Int, _ bases: [LoopValue], _ rows: RowAccumulators, _ carried: [LoopValue]) -> [LoopValue] {
    let build = scope.build
    let extent = scope.index(reducedExtents[axis])
    let strides = reducedStrides[axis]
    if axis == reducedExtents.count - 1 {
      return inChains(reducedExtents[axis], of: rows.lanes * rows.vectors, rows.initial(), carried) { from, to, sums in
        rows.accumulate(from, to, sums) { i, lanes, mask in
          value(advanced(bases, i, strides), strides, lanes: lanes, mask: mask)
        }
      }
    }
    return build.forLoop(build.index(0), extent, carrying: carried) { i, carried in
      self.rows(axis + 1, advanced(bases, i, strides), rows, carried)
    }
  }

  /// Runs over `0 ..< extent`, `step` at a time, in chains that are no longer than a sum of floats should be.
  private func inChains(
    _ extent: Dim, of step: Int, _ identities: [LoopValue], _ carried: [LoopValue],
    _ run: (LoopValue, LoopValue, [LoopValue]) -> [LoopValue]
  ) -> [LoopValue] {
    let build = scope.build
    let combination = generator.combination
    let (zero, end) = (build.index(0), scope.index(extent))
    let chain = ReduceEmitter.longestChain * step
    guard combination.isFloatSum, extent.constant.map({ $0 > chain }) ?? true else { return run(zero, end, carried) }
    return build.forLoop(zero, end, step: chain, carrying: carried) { i, carried in
      let sums = run(i, build.min(build.add(i, chain), end), identities)
      return zip(carried, sums).map { combination.combine(build, $0, $1) }
    }
  }

  /// The results of `vectors` neighbouring vectors of lanes, from sums of every so many `rows`.
  func columns(
    _ bases: [LoopValue], _ laneStrides: [Dim], vectors: Int, rows: Int, lanes: Int, mask: LoopValue?
  ) -> [LoopValue] {
    let build = scope.build
    let combination = generator.combination
    let identities = (0..<rows * vectors).map { _ in combination.identity(build, lanes: lanes) }

    func join(_ carried: inout [LoopValue], row: Int, _ bases: [LoopValue]) {
      for vector in 0..<vectors {
        let places = advanced(bases, build.index(vector * lanes), laneStrides)
        let element = value(places, laneStrides, lanes: lanes, mask: mask)
        let number = row * vectors + vector
        carried[number] = combination.combine(build, carried[number], element)
      }
    }
    func walk(_ axis: Int, _ bases: [LoopValue], _ carried: [LoopValue]) -> [LoopValue] {
      let extent = scope.index(reducedExtents[axis])
      let strides = reducedStrides[axis]
      if axis < reducedExtents.count - 1 {
        return build.forLoop(build.index(0), extent, carrying: carried) { i, carried in
          walk(axis + 1, advanced(bases, i, strides), carried)
        }
      }
      func run(_ from: LoopValue, _ to: LoopValue, _ carried: [LoopValue]) -> [LoopValue] {
        let blockEnd = scope.wholeVectors(from, to, lanes: rows)
        let whole = build.forLoop(from, blockEnd, step: rows, carrying: carried) { i, carried in
          var next = carried
          for row in 0..<rows { join(&next, row: row, advanced(bases, build.add(i, row), strides)) }
          return next
        }
        return build.forLoop(blockEnd, to, carrying: whole) { i, carried in
          var next = carried
          join(&next, row: 0, advanced(bases, i, strides))
          return next
        }
      }
      return inChains(reducedExtents[axis], of: rows, identities, carried, run)
    }

    let partial = walk(0, bases, identities)
    return (0..<vectors).map { vector in
      var sum = partial[vector]
      for row in stride(from: 1, to: rows, by: 1) {
        sum = combination.combine(build, sum, partial[row * vectors + vector])
      }
      return sum
    }
  }

  func store(_ sum: LoopValue, at position: LoopValue, stride: Dim, mask: LoopValue?) {
    do throws(Diagnostic) {
      let result = try generator.finish(scope, sum)
      scope.write(result, to: target, outputForm, at: position, stride: stride, mask: mask)
    } catch { failure = error }
  }
}

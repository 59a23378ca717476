import IR
import Support

/// `exp(x - max) / sum(exp(x - max))` along one axis of a dense tensor `[outer, length, inner]`.
///
/// A NaN, or a row whose greatest element is infinite, makes the sum NaN and so the whole row: as it should be.
struct SoftmaxGenerator {
  let outer: Dim
  let length: Dim
  let inner: Dim
  let source: TensorView
  let target: TensorView

  /// Elements that make a second thread worth waking.
  private static let elementsPerThread = 4096
  /// Vectors of a row that stay in registers between the passes.
  private static let registersPerRow = 8

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let form = try ElementForm(source.element)
    let grain = { (elements: Dim) in
      Swift.max(1, Self.elementsPerThread / Swift.max(1, elements.constant ?? 256))
    }
    let row = SoftmaxRow(
      scope: scope, form: form, source: scope.buffer(source.buffer, form.memory, .read),
      target: scope.buffer(target.buffer, form.memory, keepsPowers ? .update : .write), length: length,
      lanes: scope.profile.lanes(bits: form.register.bits), keepsPowers: keepsPowers)
    // No pass reads again what it or one before it has replaced.
    scope.mayOverwrite(source.buffer, with: target.buffer)
    let build = scope.build
    if inner == 1 {
      let vectors = registerVectors(row)
      scope.partition(outer, grain: grain(length)) { from, to in
        build.forEach(from, to) { number in
          let base = build.mul(number, scope.index(length))
          if let vectors { row.inRegisters(base, vectors: vectors) } else { row.inPasses(base) }
        }
      }
      return
    }
    let blocks = inner.ceilDivided(by: Dim(row.lanes))
    scope.partition(outer * blocks, grain: grain(length * row.lanes)) { from, to in
      build.forEach(from, to) { unit in
        let place = scope.decompose(unit, [outer, blocks])
        let base = build.mul(place[0], scope.index(length * inner))
        let start = build.mul(place[1], row.lanes)
        let end = build.min(build.add(start, row.lanes), scope.index(inner))
        scope.span(start, end, lanes: row.lanes) { column, lanes, mask in
          row.columns(build.add(base, column), stride: inner, lanes: lanes, mask: mask)
        }
      }
    }
  }

  /// Whether powers wait in the result for their sum; narrow types would round them.
  private var keepsPowers: Bool { source.element == .f32 || source.element == .f64 }

  /// How many vectors a row takes, when it is short and what does not fill the last can be masked.
  private func registerVectors(_ row: SoftmaxRow) -> Int? {
    guard let count = length.constant, count > 0 else { return nil }
    let vectors = (count + row.lanes - 1) / row.lanes
    guard vectors <= Self.registersPerRow, row.scope.profile.hasMaskedMemory || count % row.lanes == 0 else {
      return nil
    }
    return vectors
  }
}

private struct SoftmaxRow {
  let scope: KernelScope
  let form: ElementForm
  let source: BufferReference
  let target: BufferReference
  let length: Dim
  let lanes: Int
  let keepsPowers: Bool

  private var build: KernelBuilder { scope.build }

  private func load(_ position: LoopValue, lanes: Int, mask: LoopValue?) -> LoopValue {
    scope.read(source, form, at: position, stride: 1, lanes: lanes, mask: mask)
  }
  private func store(_ value: LoopValue, _ position: LoopValue, mask: LoopValue?) {
    scope.write(value, to: target, form, at: position, stride: 1, mask: mask)
  }
  /// A NaN reaches the sum, and so the whole row, whatever the greatest is.
  private var maximum: Combination {
    var maximum = Combination(.maximum, of: form)
    maximum.keepsNaN = false
    return maximum
  }
  private func reciprocal(_ sum: LoopValue) -> LoopValue { build.div(build.float(1, build.type(sum)), sum) }
  private func power(_ value: LoopValue, _ greatest: LoopValue) -> LoopValue {
    let lanes = build.type(greatest).isVector ? 1 : build.type(value).lanes
    return scope.math.expOfNonPositive(build.sub(value, build.splat(greatest, lanes: lanes)))
  }
  private func scaled(_ value: LoopValue, _ factor: LoopValue) -> LoopValue {
    build.mul(value, build.splat(factor, lanes: build.type(value).lanes))
  }

  /// A contiguous row of a few vectors: one load and one store of each.
  func inRegisters(_ base: LoopValue, vectors: Int) {
    let rest = (length.constant ?? 0) % lanes
    let mask = rest == 0 ? nil : build.prefixMask(build.index(rest), lanes: lanes)
    let masks = (0..<vectors).map { $0 == vectors - 1 ? mask : nil }
    let type = LoopType(form.register, lanes: lanes)
    let places = (0..<vectors).map { build.add(base, $0 * lanes) }
    let values = (0..<vectors).map { number in
      let value = load(places[number], lanes: lanes, mask: masks[number])
      return masks[number].map { build.select($0, value, build.float(-.infinity, type)) } ?? value
    }
    let greatest = build.reduce(.max, values.dropFirst().reduce(values[0]) { build.max($0, $1) })
    let powers = (0..<vectors).map { number in
      let power = power(values[number], greatest)
      return masks[number].map { build.select($0, power, build.zero(type)) } ?? power
    }
    let factor = reciprocal(build.reduce(.add, powers.dropFirst().reduce(powers[0]) { build.add($0, $1) }))
    for number in 0..<vectors { store(scaled(powers[number], factor), places[number], mask: masks[number]) }
  }

  /// A contiguous row of any length.
  func inPasses(_ base: LoopValue) {
    let (zero, end) = (build.index(0), scope.index(length))
    let maxima = RowAccumulators(scope: scope, combination: maximum, lanes: lanes, vectors: 4)
    let greatest = maxima.total(
      maxima.accumulate(zero, end, maxima.initial()) { load(build.add(base, $0), lanes: $1, mask: $2) })
    // Each exponential needs registers of its own beside the constants of the polynomial.
    let sums = RowAccumulators(
      scope: scope, combination: Combination(.sum, of: form), lanes: lanes,
      vectors: max(1, scope.profile.vectorRegisters / 16))
    let sum = sums.total(
      sums.accumulate(zero, end, sums.initial()) { i, lanes, mask in
        let place = build.add(base, i)
        let power = power(load(place, lanes: lanes, mask: mask), greatest)
        if keepsPowers { store(power, place, mask: mask) }
        return power
      })
    let factor = reciprocal(sum)
    scope.span(zero, end, lanes: lanes) { i, lanes, mask in
      let place = build.add(base, i)
      let power =
        keepsPowers
        ? scope.read(target, form, at: place, stride: 1, lanes: lanes, mask: mask)
        : power(load(place, lanes: lanes, mask: mask), greatest)
      store(scaled(power, factor), place, mask: mask)
    }
  }

  /// Rows side by side, a lane each.
  func columns(_ base: LoopValue, stride: Dim, lanes: Int, mask: LoopValue?) {
    let (zero, end) = (build.index(0), scope.index(length))
    let place = { (i: LoopValue) in build.add(base, build.mul(i, scope.index(stride))) }
    let greatest = build.forLoop(zero, end, carrying: [maximum.identity(build, lanes: lanes)]) { i, carried in
      [maximum.combine(build, carried[0], load(place(i), lanes: lanes, mask: mask))]
    }[0]
    let nothing = build.zero(LoopType(form.register, lanes: lanes))
    let sum = build.forLoop(zero, end, carrying: [nothing]) { i, carried in
      let power = power(load(place(i), lanes: lanes, mask: mask), greatest)
      if keepsPowers { store(power, place(i), mask: mask) }
      return [build.add(carried[0], power)]
    }[0]
    let factor = reciprocal(sum)
    build.forEach(zero, end) { i in
      let power =
        keepsPowers
        ? scope.read(target, form, at: place(i), stride: 1, lanes: lanes, mask: mask)
        : power(load(place(i), lanes: lanes, mask: mask), greatest)
      store(build.mul(power, factor), place(i), mask: mask)
    }
  }
}

import IR
import Support

/// Rows scaled by their own statistics: layer and root-mean-square normalisation.
///
/// A row is read for its mean, again for its deviation from that, and a last time to be written; after the first time
/// it comes from the nearest cache. The deviation is that from the mean already known, so that nothing cancels.
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
  private static let accumulators = 4

  func generate(_ scope: KernelScope) throws(Diagnostic) {
    let build = scope.build
    let form = try ElementForm(source.element)
    let from = scope.buffer(source.buffer, form.memory, .read)
    let scaleFrom = scale.map { scope.buffer($0.buffer, form.memory, .read) }
    let biasFrom = bias.map { scope.buffer($0.buffer, form.memory, .read) }
    let to = scope.buffer(target.buffer, form.memory, .write)
    let lanes = scope.profile.lanes(bits: form.register.bits)
    let scalar = LoopType(form.register)
    let sums = RowAccumulators(
      scope: scope, combination: Combination(.sum, of: form), lanes: lanes, vectors: accumulators(lanes))
    let (zero, end) = (build.index(0), scope.index(length))
    let grain = Swift.max(1, Self.elementsPerThread / Swift.max(1, length.constant ?? 256))
    scope.partition(rows, grain: grain) { first, last in
      let count = build.convert(.signedToFloat, end, to: scalar)
      let tiny = build.float(epsilon, scalar)
      build.forEach(first, last) { row in
        let base = build.mul(row, end)
        func read(_ i: LoopValue, _ lanes: Int, _ mask: LoopValue?) -> LoopValue {
          scope.read(from, form, at: build.add(base, i), stride: 1, lanes: lanes, mask: mask)
        }
        func mean(_ value: (LoopValue) -> LoopValue) -> LoopValue {
          let partial = sums.accumulate(zero, end, sums.initial()) { i, lanes, mask in value(read(i, lanes, mask)) }
          return build.div(sums.total(partial), count)
        }
        let center = subtractsMean ? mean { $0 } : nil
        func centered(_ value: LoopValue) -> LoopValue {
          guard let center else { return value }
          return build.sub(value, build.splat(center, lanes: build.type(value).lanes))
        }
        let variance = mean { value in
          let distance = centered(value)
          return build.mul(distance, distance)
        }
        let factor = build.div(build.float(1, scalar), build.unary(.sqrt, build.add(variance, tiny)))
        write(scope, lanes, end) { i, lanes, mask in
          var value = build.mul(centered(read(i, lanes, mask)), build.splat(factor, lanes: lanes))
          if let scaleFrom {
            value = build.mul(value, scope.read(scaleFrom, form, at: i, stride: 1, lanes: lanes, mask: mask))
          }
          if let biasFrom {
            value = build.add(value, scope.read(biasFrom, form, at: i, stride: 1, lanes: lanes, mask: mask))
          }
          scope.write(value, to: to, form, at: build.add(base, i), stride: 1, mask: mask)
        }
      }
    }
  }

  private func accumulators(_ lanes: Int) -> Int {
    length.constant.map { Swift.max(1, Swift.min(Self.accumulators, $0 / lanes)) } ?? Self.accumulators
  }

  /// The elements of a row, several vectors in one turn.
  private func write(
    _ scope: KernelScope, _ lanes: Int, _ end: LoopValue, _ body: (LoopValue, Int, LoopValue?) -> Void
  ) {
    let build = scope.build
    let block = lanes * Self.accumulators
    let whole = scope.wholeVectors(build.index(0), end, lanes: block)
    build.forEach(build.index(0), whole, step: block) { i in
      for number in 0..<Self.accumulators { body(build.add(i, number * lanes), lanes, nil) }
    }
    scope.span(whole, end, lanes: lanes, body)
  }
}

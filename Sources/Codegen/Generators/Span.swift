import IR
import Support

extension KernelScope {
  /// Runs `body` over `from ..< to`, `lanes` elements at a time, then over the rest: one masked vector where masks
  /// are cheap, element by element where they are not. `body` gets the first index, the lanes and the mask.
  func span(
    _ from: LoopValue, _ to: LoopValue, lanes: Int, _ body: (LoopValue, Int, LoopValue?) -> Void
  ) {
    guard lanes > 1 else {
      build.forEach(from, to) { body($0, 1, nil) }
      return
    }
    let vectorEnd = wholeVectors(from, to, lanes: lanes)
    build.forEach(from, vectorEnd, step: lanes) { body($0, lanes, nil) }
    if profile.hasMaskedMemory {
      build.forEach(vectorEnd, to, step: lanes) { body($0, lanes, build.prefixMask(build.sub(to, $0), lanes: lanes)) }
    } else {
      build.forEach(vectorEnd, to) { body($0, 1, nil) }
    }
  }

  /// Where the last whole vector of `from ..< to` ends.
  func wholeVectors(_ from: LoopValue, _ to: LoopValue, lanes: Int) -> LoopValue {
    let count = build.max(build.sub(to, from), build.index(0))
    return build.add(from, build.mul(build.div(count, build.index(lanes)), lanes))
  }

  /// `offset + sum(indices[i] * strides[i])`.
  func position(_ offset: Dim, _ indices: [LoopValue], _ strides: [Dim]) -> LoopValue {
    var sum = index(offset)
    for (axis, value) in indices.enumerated() { sum = build.add(sum, build.mul(value, index(strides[axis]))) }
    return sum
  }
}

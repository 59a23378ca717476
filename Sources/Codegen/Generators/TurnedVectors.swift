extension KernelBuilder {
  /// Lane `i` of vector number `j` as lane `j` of vector number `i`: as many vectors as each has lanes, a power of two,
  /// in log2(lanes) rounds of shuffles.
  func turned(_ square: [LoopValue]) -> [LoopValue] {
    let lanes = square.count
    guard lanes > 1 else { return square }
    let low = (0..<lanes / 2).flatMap { [$0, lanes + $0] }
    let high = (lanes / 2..<lanes).flatMap { [$0, lanes + $0] }
    var vectors = square
    var width = 1
    while width < lanes {
      var next: [LoopValue] = []
      for pair in 0..<lanes / 2 {
        next.append(shuffle(vectors[pair], vectors[pair + lanes / 2], lanes: low))
        next.append(shuffle(vectors[pair], vectors[pair + lanes / 2], lanes: high))
      }
      vectors = next
      width *= 2
    }
    return vectors
  }
}

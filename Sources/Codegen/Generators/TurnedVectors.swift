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

  /// A vector of the lanes picked from several others, two at a time.
  func picked(_ picks: [(vector: Int, lane: Int)], from vectors: [LoopValue]) -> LoopValue {
    var result = vectors[0]
    for number in 1..<Swift.max(2, vectors.count) {
      let other = vectors[Swift.min(number, vectors.count - 1)]
      let lanes = picks.indices.map { place -> Int in
        let (vector, lane) = picks[place]
        if vector == number { return picks.count + lane }
        // Those of the first vector are picked by the first shuffle, later ones leave them where they are.
        return number == 1 && vector == 0 ? lane : place
      }
      result = shuffle(result, other, lanes: lanes)
    }
    return result
  }
}

import IR
import Support

extension GraphGenerator {
  /// An op that stands for a block of others: a normalisation, attention, a transposed convolution, a recurrent layer.
  mutating func addBlock() throws(Diagnostic) {
    switch random.below(7) {
    case 5: try addLinearAttention()
    case 4: try addDeformConv()
    case 0: try addNormalization()
    case 1: try addAttention()
    case 2: try addRope()
    case 3: try addConvTranspose()
    default: try addRecurrence()
    }
  }

  private mutating func addNormalization() throws(Diagnostic) {
    guard let x = pickFloat(rank: 1...4), let shape = concrete(x), x.magnitude <= 100,
      let columns = x.type.shape[shape.count - 1].constant
    else { return }
    let bound = Double(columns).squareRoot()
    let epsilon = random.chance(50) ? 0.5 : 1
    var operands: [ValueID?] = [x.id]
    let isLayer = random.chance(50)
    if random.chance(70) { operands.append(try weight(x.element, [columns], -1, 1)) }
    if isLayer, random.chance(50) {
      if operands.count == 1 { operands.append(nil) }
      operands.append(try weight(x.element, [columns], -1, 1))
    }
    let kind: any OpKind = isLayer ? LayerNorm(epsilon: epsilon) : RMSNorm(epsilon: epsilon)
    try add(kind, operands, -bound - 1, bound + 1)
  }

  /// Among the positions of one value, with itself as queries, keys and values.
  private mutating func addAttention() throws(Diagnostic) {
    // Zero times a hidden NaN is NaN or not, as it comes.
    guard !options.withNaN else { return }
    guard let x = choose(fitting { $0.isFloat && $0.element.bits >= 16 && $0.type.rank == 4 && concrete($0) != nil }),
      x.magnitude <= 20, let width = x.type.shape[3].constant
    else { return }
    let kind = Attention(
      scale: 0.1, before: random.chance(20) ? random.below(4) : -1, after: random.chance(40) ? random.below(3) : -1,
      offset: Dim(random.below(3)), softCap: random.chance(20) ? 2 : 0, sequenceFirst: random.chance(50))
    // Products may round by a good deal of what their sum of magnitudes is; it must not become a factor.
    guard Double(width) * x.magnitude * x.magnitude <= 4000 else { return }
    try add(kind, [x.id, x.id, x.id], min(x.low, 0), max(x.high, 0))
  }

  private mutating func addLinearAttention() throws(Diagnostic) {
    guard let x = choose(fitting { $0.isFloat && $0.element.bits >= 32 && $0.type.rank == 4 && concrete($0) != nil }),
      let shape = concrete(x), x.magnitude <= 4, shape[1] <= 8, shape[3] <= 8
    else { return }
    let bound = Double(shape[1] * shape[3]) * x.magnitude * x.magnitude * x.magnitude
    try add(LinearAttention(scale: 0.5), [x.id, x.id, x.id], -bound, bound)
  }

  private mutating func addRope() throws(Diagnostic) {
    guard let x = pickFloat(rank: 1...4), let width = x.type.shape[x.type.rank - 1].constant, width >= 2 else { return }
    let pairs = random.within(1...width / 2)
    let (cosines, sines) = (try weight(x.element, [pairs], -1, 1), try weight(x.element, [pairs], -1, 1))
    guard 2 * x.magnitude <= GraphGenerator.limit else { return }
    try add(Rope(interleaved: random.chance(50)), [x.id, cosines, sines], -2 * x.magnitude, 2 * x.magnitude)
  }

  private mutating func addConvTranspose() throws(Diagnostic) {
    guard
      let x = choose(
        fitting { $0.isFloat && $0.element.bits >= 16 && (3...4).contains($0.type.rank) && concrete($0) != nil }),
      let channels = x.type.shape[x.type.rank - 1].constant
    else { return }
    let axes = x.type.rank - 2
    let window = (0..<axes).map { _ in random.within(1...3) }
    let strides = (0..<axes).map { _ in random.within(1...2) }
    let isDepthwise = random.chance(30)
    let filters = isDepthwise ? 1 : random.within(1...5)
    let padding = (0..<2 * axes).map { window[$0 % axes] > 2 ? random.below(2) : 0 }
    let kind = ConvTranspose(
      strides: strides, padding: padding, extra: (0..<axes).map { _ in random.below(2) },
      groups: isDepthwise ? channels : 1)
    let perFilter = window.reduce(1, *) * (isDepthwise ? 1 : channels)
    let bound = Double(perFilter) * x.magnitude * 0.5 + 1
    // Strides up to two and windows up to three at most quadruple an image, but for small ones.
    guard bound <= GraphGenerator.limit, let shape = concrete(x), shape.reduce(36, *) * filters <= 200_000 else {
      return
    }
    var operands: [ValueID?] = [x.id, try weight(x.element, [channels] + window + [filters], -0.5, 0.5)]
    if random.chance(50) { operands.append(try weight(x.element, [isDepthwise ? channels : filters], -1, 1)) }
    try add(kind, operands, -bound, bound)
  }

  private mutating func addDeformConv() throws(Diagnostic) {
    guard
      let x = choose(fitting { $0.isFloat && $0.element.bits >= 16 && $0.type.rank == 4 && concrete($0) != nil }),
      let shape = concrete(x), let channels = x.type.shape[3].constant, x.type.shape[1].constant != nil,
      x.type.shape[2].constant != nil, shape[0] == 1, !options.withNaN
    else { return }
    let window = (0..<2).map { random.within(1...min(2, shape[$0 + 1])) }
    let taps = window[0] * window[1]
    let filters = random.within(1...4)
    let outer = (0..<2).map { shape[$0 + 1] - window[$0] + 1 }
    let bound = Double(taps * channels) * x.magnitude * 0.5
    guard bound <= GraphGenerator.limit, x.type.shape[0].constant == 1 else { return }
    // Whole distances, so that no rounding moves a tap to another pixel.
    let offsets = Tensor(
      x.element, [1] + outer + [2 * taps],
      doubles: (0..<outer[0] * outer[1] * 2 * taps).map { _ in Double(random.within(-2...2)) })
    let operands: [ValueID?] = [
      x.id, try weight(x.element, [filters] + window + [channels], -0.5, 0.5), try add(weight: offsets),
    ]
    try add(DeformConv(), operands, -bound, bound)
  }

  private mutating func addRecurrence() throws(Diagnostic) {
    guard let x = choose(fitting { $0.isFloat && $0.element.bits >= 16 && $0.type.rank == 3 && concrete($0) != nil }),
      let inputs = x.type.shape[2].constant, x.magnitude <= 10, let shape = concrete(x), shape[0] <= 40
    else { return }
    let direction = random.pick(RecurrentDirection.allCases) ?? .forward
    let hidden = random.within(1...(options.large ? 20 : 4))
    let kind: any RecurrentKind =
      switch random.below(3) {
      case 0: LSTM(direction: direction, clip: random.chance(20) ? 2 : 0, inputForget: random.chance(20))
      case 1: GRU(direction: direction, linearBeforeReset: random.chance(50))
      default: RNN(direction: direction)
      }
    let rows = type(of: kind).gates * hidden
    // Weights small enough that no state drives the next further than itself.
    let small = 1 / Double(hidden)
    var operands: [ValueID?] = [
      x.id, try weight(x.element, [direction.count, rows, inputs], -0.2, 0.2),
      try weight(x.element, [direction.count, rows, hidden], -small / 2, small / 2),
    ]
    if random.chance(60) { operands.append(try weight(x.element, [direction.count, 2 * rows], -0.5, 0.5)) }
    guard fits([x.type.shape[0], Dim(direction.count), x.type.shape[1], Dim(hidden)]) else { return }
    try add(kind, operands, -1, 1)
  }
}

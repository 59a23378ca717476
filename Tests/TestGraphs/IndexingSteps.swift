import IR
import Support

extension GraphGenerator {
  /// What addresses, orders or resamples elements.
  mutating func addIndexing() throws(Diagnostic) {
    guard
      let x = choose(
        fitting { (1...4).contains($0.type.rank) && ($0.isFloat || $0.isInteger) && concrete($0) != nil }),
      let extents = concrete(x)
    else { return }
    let axis = random.below(x.type.rank)
    let extent = extents[axis]
    switch random.below(10) {
    case 0, 1:
      var shape = extents
      shape[axis] = random.within(1...4)
      guard fits(shape.map { Dim($0) }) else { return }
      let places = randomTensor(.i64, shape, Double(-extent), Double(extent - 1))
      let indices = try constant(places, Double(-extent), Double(extent - 1))
      if random.chance(50) {
        try add(GatherElements(axis: axis), [x.id, indices.id], x.low, x.high)
      } else {
        // Sums would depend on their order.
        let reduction: ScatterReduction = random.chance(50) ? .none : random.chance(50) ? .max : .min
        let (low, high) = (x.low.rounded(.up), max(x.high.rounded(.down), x.low.rounded(.up)))
        let updates = try constant(randomTensor(x.element, shape, low, high), low, high)
        try add(
          ScatterElements(axis: axis, reduction), [x.id, indices.id, updates.id], min(x.low, low), max(x.high, high))
      }
    case 2:
      guard options.jumps else { return }
      let kind = ArgExtreme(random.chance(50) ? .max : .min, axis: axis, last: random.chance(50))
      try add(kind, [x.id], 0, Double(extent - 1))
    case 3:
      let kind = TopK(axis: axis, k: Dim(random.within(1...min(extent, 4))), largest: random.chance(50))
      try add(kind, [x.id], x.low, x.high)
    case 4:
      let most = x.magnitude * Double(extent)
      guard most <= 1000 else { return }
      let kind = Cumulative(.sum, axis: axis, exclusive: random.chance(50), reverse: random.chance(50))
      if x.isInteger { try addInteger(kind, [x.id]) } else { try add(kind, [x.id], -most, most) }
    case 5:
      guard x.magnitude.rounded(.up) <= 4, extent <= 4 else { return }
      let most = (0..<extent).reduce(1.0) { most, _ in most * max(x.magnitude, 1) }
      let kind = Cumulative(.product, axis: axis, reverse: random.chance(50))
      if x.isInteger { try addInteger(kind, [x.id]) } else { try add(kind, [x.id], -most, most) }
    case 6:
      let coordinates = randomTensor(.i64, [3, 1], Double(-extents[0]), Double(extents[0] - 1))
      let rows = try constant(coordinates, Double(-extents[0]), Double(extents[0] - 1))
      if random.chance(50) {
        guard fits([3] + x.type.shape[1...]) else { return }
        try add(GatherND(), [x.id, rows.id], x.low, x.high)
      } else {
        let (low, high) = (x.low.rounded(.up), max(x.high.rounded(.down), x.low.rounded(.up)))
        let updates = try constant(randomTensor(x.element, [3] + extents[1...], low, high), low, high)
        try add(ScatterND(), [x.id, rows.id, updates.id], min(x.low, low), max(x.high, high))
      }
    case 7:
      guard x.type.rank >= 2 else { return }
      let lengths = try constant(randomTensor(.i64, [extents[1]], 0, Double(extents[0])), 0, Double(extents[0]))
      try add(ReverseSequence(batchAxis: 1, timeAxis: 0), [x.id, lengths.id], x.low, x.high)
    case 8:
      guard options.jumps else { return try addCount(x.type.shape[axis], extent) }
      let symbol = builder.module.freshSymbol("different")
      builder.module.declare(symbol: symbol, in: 0...4 * countLimit)
      try add(Unique(extent: symbol, sorted: random.chance(50)), [x.id], 0, Double(extents[0]))
    default:
      var rule = ResampleRule()
      rule.mode = random.chance(50) ? .nearest : .linear
      rule.coordinates = random.chance(50) ? .halfPixel : .alignCorners
      var shape = x.type.shape
      shape[axis] = Dim(random.within(1...6))
      if random.chance(50) { shape[random.below(shape.count)] = Dim(random.within(1...6)) }
      guard fits(shape) else { return }
      try add(Resize(shape: shape, rule: rule), [x.id], x.low, x.high)
    }
  }

  private mutating func addCount(_ dim: Dim, _ extent: Int) throws(Diagnostic) {
    try add(Iota(dim), [], 0, Double(extent))
  }

  /// What samples images or puts them together; of constants, where no image fits.
  mutating func addImaging() throws(Diagnostic) {
    let found = choose(fitting { $0.type.rank == 4 && $0.isFloat && concrete($0) != nil })
    var image = found
    if found.flatMap({ concrete($0)?[0] }) != 1 {
      image = try constant(randomTensor(.f32, [1, 3, 4, 2], -2, 2), -2, 2)
    }
    guard let image else { return }
    let (low, high) = (4 * min(image.low, 0), 4 * max(image.high, 0))
    guard high - low < 1000, let channels = concrete(image)?[3] else { return }
    switch random.below(6) {
    case 0:
      let grid = try constant(randomTensor(.f32, [1, 2, 2, 2], -1.5, 1.5), -1.5, 1.5)
      let padding = GridSample.Padding.allCases[random.below(3)]
      try add(GridSample(.linear, padding: padding, alignCorners: random.chance(50)), [image.id, grid.id], low, high)
    case 1:
      guard fits([2, 2, 2, Dim(channels)]) else { return }
      let regions = try constant(randomTensor(image.element, [2, 4], 0, 3), 0, 3)
      let numbers = try constant(Tensor(.i64, [2], integers: [0, 0]), 0, 0)
      let kind = RegionAlign(size: [2, 2], samples: 2, scale: 1, max: false, halfPixel: random.chance(50))
      try add(kind, [image.id, regions.id, numbers.id], low, high)
    case 2:
      guard options.jumps, let extents = concrete(image) else { return }
      let kind = MaxPoolIndex(Pool(.max, window: [2, 2], padding: [1, 1, 1, 1]))
      guard fits([1, Dim(extents[1] + 1), Dim(extents[2] + 1), Dim(channels)]) else { return }
      try add(kind, [image.id], 0, Double(extents[1] * extents[2]))
    case 3:
      let parts = try constant(randomTensor(.f32, [1, 4, 4], -2, 2), -2, 2)
      let kind = Fold(spatial: [5], window: [2], strides: [], padding: [], dilations: [])
      try add(kind, [parts.id], -8, 8)
    case 4:
      try add(Iota(image.type.shape[1] + 1), [], 0, 1000)
    default:
      let symbol = builder.module.freshSymbol("boxes")
      builder.module.declare(symbol: symbol, in: 0...4 * countLimit)
      let boxes = try constant(randomTensor(.f32, [1, 5, 4], 0, 3), 0, 3)
      let scores = try constant(randomTensor(.f32, [1, 2, 5], 0, 1), 0, 1)
      let limit = try constant(.scalar(3), 3, 3)
      let overlap = try constant(.scalar(0.25), 0.25, 0.25)
      try add(NonMaxSuppression(extent: symbol), [boxes.id, scores.id, limit.id, overlap.id], 0, 5)
    }
  }
}

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
    switch random.below(6) {
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
}

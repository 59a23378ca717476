import Support

// How ops carry what is known of small integer tensors from operands to results.

extension ValueFact {
  /// The known elements with the shape they fill, or nil.
  public var known: (elements: [Dim], shape: [Int])? {
    guard let elements, let shape = type.tensor?.constantShape, countSaturating(shape) == elements.count else {
      return nil
    }
    return (elements, shape)
  }

  /// The known elements, when none depends on a symbol.
  public var knownIntegers: [Int]? {
    guard let elements = known?.elements else { return nil }
    var result: [Int] = []
    for element in elements {
      guard let value = element.constant else { return nil }
      result.append(value)
    }
    return result
  }

  /// A fact of `type` with these elements, or without when `type` could not hold them: integers wrap, dims do not.
  public init(_ type: TensorType, holding elements: [Dim]?) {
    self.init(type)
    guard let elements, let element = type.plain, let range = element.integerRange,
      elements.count <= ValueFact.limit, type.constantShape.map(countSaturating) == elements.count
    else { return }
    let fits = elements.allSatisfy { dim in
      // A symbol is an extent, and no extent passes 32 bits in a type that holds extents.
      dim.constant.map { range.contains($0) && !dim.hasOverflowed } ?? (element.bits >= 32)
    }
    if fits { self.elements = elements }
  }

  /// A fact of `type` whose elements are the ones of `source` at `positions`.
  func moved(to type: TensorType, _ positions: ([Int]) -> [Int]?) -> ValueFact {
    guard let known, let shape = type.constantShape, countSaturating(shape) <= ValueFact.limit,
      let positions = positions(shape)
    else { return ValueFact(type) }
    return ValueFact(type, holding: positions.map { known.elements[$0] })
  }
}

/// The number of elements of a shape that may come from a hostile file.
func countSaturating(_ shape: [Int]) -> Int { shape.reduce(1, Dim.multiply) }

extension Dim {
  /// Whether arithmetic stayed far from where it saturates.
  var isExact: Bool { constant.map { $0.magnitude < 1 << 62 } ?? true }
}

import Support

/// Rotates pairs of elements of each row by an angle a pair, given by its cosine and sine: rotary position embedding.
///
///     %0: f32[1, 12, n, 64]
///     %1: f32[n, 32]
///     %2: f32[n, 32]
///     %3 = rope %0, %1, %2 : f32[1, 12, n, 64]
///
/// With `r` elements in a row of `cos` and `sin`, the first `2 * r` elements of a row of `x` turn and the others stay.
/// Element `i` makes a pair with element `i + r`, or, `interleaved`, element `2 * i` with its right neighbour: the pair
/// (a, b) becomes (a cos - b sin, b cos + a sin). The other axes of `cos` and `sin` stretch to those of `x`.
public struct Rope: OpKind {
  public static let mnemonics = ["rope"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("cos", .float), OperandSpec("sin", .float),
  ]

  public var interleaved = false

  public init(mnemonic: String) {}
  public init(interleaved: Bool) { self.interleaved = interleaved }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.bool("interleaved", &interleaved)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let (x, cosines, sines) = (
      try inputs[0].dense("rope"), try inputs[1].dense("rope"), try inputs[2].dense("rope")
    )
    guard x.rank >= 1, let width = x.shape[x.rank - 1].constant else {
      throw .invalid("rope: x is \(x), expected rows of known width")
    }
    for table in [cosines, sines] {
      guard table.plain == x.plain, table.rank >= 1, table.rank <= x.rank else {
        throw .invalid("rope: a table is \(table), which does not fit x of type \(x)")
      }
      guard let pairs = table.shape[table.rank - 1].constant, pairs <= width / 2 else {
        throw .invalid("rope: a table is \(table), but rows of x have \(width / 2) pairs")
      }
      guard table.shape[table.rank - 1] == cosines.shape[cosines.rank - 1] else {
        throw .invalid("rope: the tables are \(cosines) and \(sines)")
      }
      try context.require(Array(table.shape.dropLast()), broadcastsTo: Array(x.shape.dropLast()), "rope")
    }
    return [ValueFact(x)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let (cosTable, sinTable) = (try inputs[1].expectTensor(), try inputs[2].expectTensor())
    guard let element = x.storage, let width = x.shape.last, let pairs = cosTable.shape.last else {
      throw .bug("rope: cannot take \(x.type)")
    }
    let outer = Array(x.shape.dropLast())
    func starts(_ table: Tensor) -> [Int] {
      stridedPositions(outer, strides: broadcastStrides(Array(table.shape.dropLast()), to: outer)).map { $0 * pairs }
    }
    let (cosStarts, sinStarts) = (starts(cosTable), starts(sinTable))
    let (cosines, sines) = (cosTable.doubles(), sinTable.doubles())
    var values = x.doubles()
    for row in cosStarts.indices {
      for pair in 0..<pairs {
        let first = row * width + (interleaved ? 2 * pair : pair)
        let second = first + (interleaved ? 1 : pairs)
        let (a, b) = (values[first], values[second])
        let (c, s) = (cosines[cosStarts[row] + pair], sines[sinStarts[row] + pair])
        values[first] = a * c - b * s
        values[second] = b * c + a * s
      }
    }
    return [.tensor(Tensor(element, x.shape, doubles: values))]
  }
}

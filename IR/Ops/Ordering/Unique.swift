import Support

/// The slices of `x` along its first axis, each once: for each the index at which it stands first and how often it
/// stands, and for each slice of `x` which one it is. Their number is a fresh symbol.
///
///     %0: f32[64, 3]
///     %1, %2, %3 = unique %0 {extent = s} : i64[s], i64[64], i64[s]
///
/// They come in lexicographic order, with NaN behind all numbers, or with `sorted = false` in the order of their first
/// indices. NaNs are equal.
public struct Unique: OpKind {
  public static let mnemonics = ["unique"]
  public static let operands = [OperandSpec("x", .number)]
  public static let resultCount: Int? = 3

  /// The symbol that stands for the number of different slices.
  public var extent: Dim = 0
  public var sorted = true

  public init(mnemonic: String) {}
  public init(extent symbol: String, sorted: Bool = true) {
    extent = Dim(symbol: symbol)
    self.sorted = sorted
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("extent", &extent)
    try visitor.bool("sorted", &sorted)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("unique")
    guard type.rank > 0 else { throw .invalid("unique: cannot take the scalar \(type)") }
    guard extent.symbolName != nil else { throw .invalid("unique: extent is \(extent), expected a symbol") }
    return [ValueFact(.i64, [extent]), ValueFact(.i64, [type.shape[0]]), ValueFact(.i64, [extent])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let symbol = extent.symbolName, let count = x.shape.first else { throw .bug("unique: extent is \(extent)") }
    try checkAllocatable(x.shape, "unique")
    let size = x.shape.dropFirst().reduce(1, *)
    let order = ElementOrder(x)
    func compare(_ a: Int, _ b: Int) -> Int {
      for i in 0..<size {
        let relation = order.compare(a * size + i, b * size + i)
        if relation != 0 { return relation }
      }
      return 0
    }
    let slices = (0..<count).sorted { a, b in
      let relation = compare(a, b)
      return relation == 0 ? a < b : relation < 0
    }
    // Groups of equal slices, each in the order of indices.
    var groups: [[Int]] = []
    for (place, slice) in slices.enumerated() {
      if place > 0, compare(slices[place - 1], slice) == 0 {
        groups[groups.count - 1].append(slice)
      } else {
        groups.append([slice])
      }
    }
    if !sorted { groups.sort { $0[0] < $1[0] } }
    var inverse = [Int](repeating: 0, count: count)
    for (number, group) in groups.enumerated() { for slice in group { inverse[slice] = number } }
    try call.bind(symbol, to: groups.count)
    return [
      .tensor(Tensor(.i64, [groups.count], integers: groups.map { $0[0] })),
      .tensor(Tensor(.i64, [count], integers: inverse)),
      .tensor(Tensor(.i64, [groups.count], integers: groups.map(\.count))),
    ]
  }
}

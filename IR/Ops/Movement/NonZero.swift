import Support

/// The indices of the elements that are not zero, one column each, in row-major order; row `i` holds the indices of
/// axis `i`. Their number is a fresh symbol.
///
///     %0: bool[8, 16]
///     %1 = non_zero %0 {extent = s} : i64[2, s]
public struct NonZero: OpKind {
  public static let mnemonics = ["non_zero"]
  public static let operands = [OperandSpec("x", .tensor)]

  /// The symbol that stands for the number of columns.
  public var extent: Dim = 0

  public init(mnemonic: String) {}
  public init(extent symbol: String) { extent = Dim(symbol: symbol) }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("extent", &extent)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("non_zero")
    guard let element = type.plain, element != .string else { throw .invalid("non_zero: cannot take \(type)") }
    guard extent.symbolName != nil else { throw .invalid("non_zero: extent is \(extent), expected a symbol") }
    return [ValueFact(.i64, [Dim(type.rank), extent])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let found: [Int]
    if x.isFloat {
      let values = x.doubles()
      found = values.indices.filter { values[$0] != 0 }
    } else {
      let values = x.integers()
      found = values.indices.filter { values[$0] != 0 }
    }
    guard let symbol = extent.symbolName else { throw .bug("non_zero: extent is \(extent)") }
    try call.bind(symbol, to: found.count)
    var indices: [Int] = []
    for (axis, stride) in rowMajorStrides(x.shape).enumerated() {
      indices += found.map { $0 / stride % x.shape[axis] }
    }
    return [.tensor(Tensor(.i64, [x.shape.count, found.count], integers: indices))]
  }
}

import Support

/// Introduces `symbol`: from here on it stands for the run-time value of `t`, which must be in the symbol's range.
///
///     %0: i64[]
///     %1 = extent %0 {symbol = s} : i64[]
public struct Extent: OpKind {
  public static let mnemonics = ["extent"]
  public static let operands = [OperandSpec("t", .integer)]

  public var symbol: Dim = 0

  public init(mnemonic: String) {}
  public init(symbol: String) { self.symbol = Dim(symbol: symbol) }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.dim("symbol", &symbol)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("extent")
    guard type == TensorType(.i64, []) else { throw .invalid("extent: the operand is \(type), expected i64[]") }
    guard symbol.symbolName != nil else { throw .invalid("extent: symbol is \(symbol), expected one symbol") }
    return [ValueFact(type, holding: [symbol])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    guard let symbol = symbol.symbolName, let value = try inputs[0].expectTensor().integers().first else {
      throw .bug("extent: symbol is \(symbol)")
    }
    try call.bind(symbol, to: value)
    return [inputs[0]]
  }
}

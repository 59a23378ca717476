import Support

/// Which of `keys` each text is: the number of the first that equals it, or how many keys there are where none does.
///
///     %0: str[4]
///     %1 = string_find %0 {keys = str[2] ["cat", "dog"]} : i64[4]
public struct StringFind: OpKind {
  public static let mnemonics = ["string_find"]
  public static let operands = [OperandSpec("x", .string)]

  public var keys: Tensor?

  public init(mnemonic: String) {}
  public init(keys: [[UInt8]]) { self.keys = Tensor(strings: keys, shape: [keys.count]) }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.tensor("keys", &keys)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("string_find")
    guard let keys, keys.storage == .string, keys.shape.count == 1 else {
      throw .invalid("string_find: the keys are \(keys?.type.description ?? "not given"), expected str[n]")
    }
    return [ValueFact(.i64, type.shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let keys = keys?.strings ?? []
    var places: [[UInt8]: Int] = [:]
    for (number, key) in keys.enumerated() where places[key] == nil { places[key] = number }
    return [.tensor(Tensor(.i64, x.shape, integers: x.strings.map { places[$0] ?? keys.count }))]
  }
}

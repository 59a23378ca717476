import Support

/// The number that each string is written as.
///
///     %0: str[8]
///     %1 = string_parse %0 {to = f32} : f32[8]
///
/// Decimal, with an exponent if it has to be; also `nan`, `inf` and `infinity`, in small letters or capitals. An integer
/// may have a fraction, which is cut off, and wraps where it does not fit. What is no number is an error.
public struct StringParse: OpKind {
  public static let mnemonics = ["string_parse"]
  public static let operands = [OperandSpec("x", .string)]

  public var to: TensorElement = .plain(.f32)

  public init(mnemonic: String) {}
  public init(to element: ElementType) { to = .plain(element) }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.element("to", &to)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard case .plain(let element) = to, element != .string else {
      throw .unsupported("string_parse: cannot convert to \(to)")
    }
    return [ValueFact(element, try inputs[0].dense("string_parse").shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard case .plain(let element) = to else { throw .bug("string_parse: cannot convert to \(to)") }
    if element.isFloat {
      var numbers: [Double] = []
      for text in x.strings { numbers.append(try StringParse.number(text)) }
      return [.tensor(Tensor(element, x.shape, doubles: numbers))]
    }
    var integers: [Int] = []
    for text in x.strings { integers.append(try StringParse.integer(text)) }
    if element == .bool { integers = integers.map { $0 == 0 ? 0 : 1 } }
    return [.tensor(Tensor(element, x.shape, integers: integers))]
  }

  private static func trimmed(_ text: [UInt8]) -> String {
    String(decoding: text.drop { $0 == 32 || (9...13).contains($0) }, as: UTF8.self)
  }

  private static func number(_ text: [UInt8]) throws(Diagnostic) -> Double {
    let word = trimmed(text)
    // Hexadecimal digits and payloads of NaN are none of the format's.
    let isPlain = word.utf8.allSatisfy { !($0 | 0x20 == UInt8(ascii: "x")) && $0 != UInt8(ascii: "(") }
    guard isPlain, let number = Double(word) else { throw noNumber(text) }
    return number
  }

  private static func integer(_ text: [UInt8]) throws(Diagnostic) -> Int {
    let word = trimmed(text).utf8
    let isNegative = word.first == UInt8(ascii: "-")
    let digits = word.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
    guard word.count - digits.count <= 1, let first = digits.first, (48...57).contains(first) else {
      throw noNumber(text)
    }
    var value: UInt = 0
    var rest = digits
    while let digit = rest.first, (48...57).contains(digit) {
      let (product, isLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, isLarger) = product.addingReportingOverflow(UInt(digit - 48))
      guard !isLarge, !isLarger else { throw noNumber(text) }
      value = sum
      rest = rest.dropFirst()
    }
    if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { (48...57).contains($0) } }
    guard rest.isEmpty else { throw noNumber(text) }
    let result = Int(bitPattern: value)
    return isNegative ? 0 &- result : result
  }

  private static func noNumber(_ text: [UInt8]) -> Diagnostic {
    .invalid("string_parse: \"\(String(decoding: text.prefix(40), as: UTF8.self))\" is no number")
  }
}

import Support

/// Each text in lower or upper case, character by character as Unicode says it without regard to languages or to what
/// stands around them. Bytes that are no UTF-8 stay as they are.
///
///     %0: str[4]
///     %1 = string_case %0 {to = lower} : str[4]
public struct StringCase: OpKind {
  public enum Form: String, CaseIterable, Sendable { case lower, upper }

  public static let mnemonics = ["string_case"]
  public static let operands = [OperandSpec("x", .string)]

  public var to = Form.lower

  public init(mnemonic: String) {}
  public init(to form: Form) { to = form }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.choice("to", &to)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    [ValueFact(try inputs[0].dense("string_case"))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    return [.tensor(Tensor(strings: x.strings.map(converted), shape: x.shape))]
  }

  public func converted(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at < text.count {
      guard let (scalar, length) = CharacterReader.scalar(text, at) else {
        result.append(text[at])
        at += 1
        continue
      }
      result += mapping(scalar)
      at += length
    }
    return result
  }

  /// What a character becomes.
  public func mapping(_ scalar: Unicode.Scalar) -> [UInt8] {
    Array((to == .lower ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping).utf8)
  }
}

/// UTF-8, of which not every byte need be any.
enum CharacterReader {
  /// The character at a place and its bytes; nil where the bytes there are none.
  static func scalar(_ text: [UInt8], _ at: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    let first = text[at]
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let (length, least): (Int, UInt32)
    switch first {
    case 0xc2...0xdf: (length, least) = (2, 0x80)
    case 0xe0...0xef: (length, least) = (3, 0x800)
    case 0xf0...0xf4: (length, least) = (4, 0x10000)
    default: return nil
    }
    guard at + length <= text.count else { return nil }
    var value = UInt32(first) & (0x7f >> UInt32(length))
    for byte in text[(at + 1)..<(at + length)] {
      guard byte & 0xc0 == 0x80 else { return nil }
      value = value << 6 | UInt32(byte & 0x3f)
    }
    guard value >= least, let scalar = Unicode.Scalar(value) else { return nil }
    return (scalar, length)
  }
}

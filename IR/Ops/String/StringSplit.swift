import Support

/// The pieces of each text between occurrences of `delimiter`, along a new last axis, and how many there are. An empty
/// delimiter stands for runs of white space, at the ends of which there are no pieces. At most `limit` cuts are made in
/// a text, the rest of which is its last piece; a negative one is no limit.
///
///     %0: str[4]
///     %1, %2 = string_split %0 {delimiter = ",", extent = s} : str[4, s], i64[4]
///
/// `extent`, a fresh symbol, is the largest number of pieces; texts with fewer have empty ones behind them.
public struct StringSplit: OpKind {
  public static let mnemonics = ["string_split"]
  public static let operands = [OperandSpec("x", .string)]
  public static let resultCount: Int? = 2

  public var delimiter = ""
  public var limit = -1
  public var extent: Dim = 0

  public init(mnemonic: String) {}
  public init(delimiter: String, limit: Int, extent symbol: String) {
    self.delimiter = delimiter
    self.limit = limit
    extent = Dim(symbol: symbol)
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.string("delimiter", &delimiter)
    try visitor.int("limit", &limit)
    try visitor.dim("extent", &extent)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("string_split")
    guard extent.symbolName != nil else { throw .invalid("string_split: extent is \(extent), expected a symbol") }
    return [ValueFact(.string, type.shape + [extent]), ValueFact(.i64, type.shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let symbol = extent.symbolName else { throw .bug("string_split: extent is \(extent)") }
    let delimiter = Array(self.delimiter.utf8)
    let pieces = x.strings.map { text in
      delimiter.isEmpty ? StringSplit.words(text, limit) : StringSplit.pieces(text, delimiter, limit)
    }
    let most = pieces.reduce(0) { max($0, $1.count) }
    try call.bind(symbol, to: most)
    try checkAllocatable(x.shape + [most], "string_split")
    let all = pieces.flatMap { $0 + Array(repeating: [], count: most - $0.count) }
    return [
      .tensor(Tensor(strings: all, shape: x.shape + [most])),
      .tensor(Tensor(.i64, x.shape, integers: pieces.map(\.count))),
    ]
  }

  /// An empty text has no pieces.
  private static func pieces(_ text: [UInt8], _ delimiter: [UInt8], _ limit: Int) -> [[UInt8]] {
    if text.isEmpty { return [] }
    var result: [[UInt8]] = []
    var start = 0
    var at = 0
    while at + delimiter.count <= text.count, limit < 0 || result.count < limit {
      if text[at..<at + delimiter.count].elementsEqual(delimiter) {
        result.append(Array(text[start..<at]))
        at += delimiter.count
        start = at
      } else {
        at += 1
      }
    }
    result.append(Array(text[start...]))
    return result
  }

  private static func words(_ text: [UInt8], _ limit: Int) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var at = 0
    func skip() { while at < text.count, case let length = spaceLength(text, at), length > 0 { at += length } }
    skip()
    while at < text.count {
      if limit >= 0, result.count == limit {
        var end = text.count
        // Behind the last piece there is no white space either.
        while end > at, let length = (1...3).first(where: { $0 <= end - at && spaceLength(text, end - $0) == $0 }) {
          end -= length
        }
        result.append(Array(text[at..<end]))
        break
      }
      let start = at
      while at < text.count, spaceLength(text, at) == 0 { at += 1 }
      result.append(Array(text[start..<at]))
      skip()
    }
    return result
  }

  /// The bytes of the white space in UTF-8 at a place; zero where there is none.
  private static func spaceLength(_ text: [UInt8], _ at: Int) -> Int {
    let byte = text[at]
    if (9...13).contains(byte) || (28...32).contains(byte) { return 1 }
    if byte == 0xc2, at + 1 < text.count { return text[at + 1] == 0x85 || text[at + 1] == 0xa0 ? 2 : 0 }
    guard at + 2 < text.count else { return 0 }
    switch (byte, text[at + 1], text[at + 2]) {
    case (0xe1, 0x9a, 0x80), (0xe2, 0x80, 0x80...0x8a), (0xe2, 0x80, 0xa8...0xa9), (0xe2, 0x80, 0xaf),
      (0xe2, 0x81, 0x9f), (0xe3, 0x80, 0x80):
      return 3
    default: return 0
    }
  }
}

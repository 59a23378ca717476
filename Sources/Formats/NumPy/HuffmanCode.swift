import Support

/// A prefix code given by the length of each symbol's code, as DEFLATE has it.
struct HuffmanCode {
  /// Codes up to this length are looked up at once, longer ones bit by bit.
  private static let tableBits = 10

  /// For the next bits: the symbol and, in the low four bits, the length of its code; 0 for a long one.
  private var table: [UInt16]
  /// How many codes each length has, and the symbols in the order of their codes.
  private var counts = [Int](repeating: 0, count: 16)
  private var symbols: [UInt16]

  init(_ lengths: [UInt8]) throws(Diagnostic) {
    for length in lengths { counts[Int(length & 15)] += 1 }
    counts[0] = 0
    var room = 1
    for length in 1..<16 {
      room = room * 2 - counts[length]
      guard room >= 0 else { throw .invalid("broken compressed data: more codes than there can be") }
    }

    var starts = [Int](repeating: 0, count: 16)
    var codes = [Int](repeating: 0, count: 16)
    for length in 1..<15 {
      starts[length + 1] = starts[length] + counts[length]
      codes[length + 1] = (codes[length] + counts[length]) << 1
    }
    symbols = [UInt16](repeating: 0, count: lengths.count)
    table = [UInt16](repeating: 0, count: 1 << HuffmanCode.tableBits)
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      symbols[starts[length]] = UInt16(symbol)
      starts[length] += 1
      let code = codes[length]
      codes[length] += 1
      guard length <= HuffmanCode.tableBits else { continue }
      // The bits of a code come highest first, the table is indexed lowest first.
      var reversed = 0
      for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
      for index in stride(from: reversed, to: table.count, by: 1 << length) {
        table[index] = UInt16(symbol) << 4 | UInt16(length)
      }
    }
  }

  /// The symbol that `bits` begin with, and the length of its code; length 0 for none.
  func decode(_ bits: UInt64) -> (symbol: Int, length: Int) {
    let entry = table[Int(bits & UInt64(table.count - 1))]
    if entry != 0 { return (Int(entry >> 4), Int(entry & 15)) }
    var code = 0
    var first = 0
    var index = 0
    for length in 1..<16 {
      code |= Int(bits >> UInt64(length - 1) & 1)
      let count = counts[length]
      if code - first < count { return (Int(symbols[index + code - first]), length) }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return (0, 0)
  }
}

import Support

/// Decompresses DEFLATE data (RFC 1951) into a buffer of a known size.
struct Inflate {
  private let input: UnsafeRawBufferPointer
  private let output: UnsafeMutableRawBufferPointer
  private var position = 0
  private var written = 0
  /// Bits read but not used yet, the next one lowest.
  private var bits: UInt64 = 0
  private var bitCount = 0

  /// No valid data expand more than this.
  static let greatestRatio = 1032

  private init(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) {
    self.input = input
    self.output = output
  }

  /// Fails unless `input` makes exactly `size` bytes.
  static func decompress(_ input: ByteView, size: Int) throws(Diagnostic) -> ByteView {
    guard size >= 0, size / greatestRatio <= input.count else {
      throw .invalid("\(input.count) compressed bytes cannot make \(size)")
    }
    return try ByteView(count: size) { (target) throws(Diagnostic) in
      try input.withBytes { (source) throws(Diagnostic) in
        var inflate = Inflate(source, target)
        try inflate.run()
      }
    }
  }

  private mutating func run() throws(Diagnostic) {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try stored()
      case 1: try compressed(try Inflate.fixedLengths(), try Inflate.fixedDistances())
      case 2: try dynamic()
      default: throw Inflate.broken("a block of an unknown kind")
      }
    }
    guard written == output.count else {
      throw Inflate.broken("the data end after \(written) of \(output.count) bytes")
    }
  }

  private static func broken(_ what: String) -> Diagnostic { .invalid("broken compressed data: \(what)") }

  // MARK: Bits

  private mutating func fill() {
    while bitCount <= 56, position < input.count {
      bits |= UInt64(input[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }

  private mutating func take(_ count: Int) throws(Diagnostic) -> Int {
    if bitCount < count {
      fill()
      guard bitCount >= count else { throw Inflate.broken("they are cut off") }
    }
    let value = bits & (1 << UInt64(count) - 1)
    bits >>= UInt64(count)
    bitCount -= count
    return Int(value)
  }

  // MARK: Blocks

  private mutating func stored() throws(Diagnostic) {
    _ = try take(bitCount % 8)
    let length = try take(16)
    guard try take(16) == length ^ 0xffff else { throw Inflate.broken("a length and its complement differ") }
    // Whole bytes may wait among the bits.
    for _ in 0..<length { try put(UInt8(try take(8))) }
  }

  private mutating func put(_ byte: UInt8) throws(Diagnostic) {
    guard written < output.count else { throw Inflate.broken("they make more than \(output.count) bytes") }
    output[written] = byte
    written += 1
  }

  private mutating func compressed(_ lengths: HuffmanCode, _ distances: HuffmanCode) throws(Diagnostic) {
    while true {
      let symbol = try next(lengths)
      if symbol < 256 {
        try put(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Inflate.lengthBase.count else { throw Inflate.broken("an impossible length") }
      let length = Inflate.lengthBase[symbol - 257] + (try take(Inflate.lengthExtra[symbol - 257]))
      let place = try next(distances)
      guard place < Inflate.distanceBase.count else { throw Inflate.broken("an impossible distance") }
      let distance = Inflate.distanceBase[place] + (try take(Inflate.distanceExtra[place]))
      guard distance <= written else { throw Inflate.broken("a distance before the start") }
      guard length <= output.count - written else {
        throw Inflate.broken("they make more than \(output.count) bytes")
      }
      // Byte by byte, for a copy may overlap itself.
      for _ in 0..<length {
        output[written] = output[written - distance]
        written += 1
      }
    }
  }

  private mutating func next(_ code: HuffmanCode) throws(Diagnostic) -> Int {
    if bitCount < 15 { fill() }
    let (symbol, length) = code.decode(bits)
    guard length > 0, length <= bitCount else {
      throw Inflate.broken(length == 0 ? "an unknown code" : "they are cut off")
    }
    bits >>= UInt64(length)
    bitCount -= length
    return symbol
  }

  private mutating func dynamic() throws(Diagnostic) {
    let lengthCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let orderCount = try take(4) + 4
    guard lengthCount <= 286, distanceCount <= 30 else { throw Inflate.broken("too many codes") }

    var order = [UInt8](repeating: 0, count: 19)
    for index in 0..<orderCount { order[Int(Inflate.codeOrder[index])] = UInt8(try take(3)) }
    let meta = try HuffmanCode(order)

    var all: [UInt8] = []
    while all.count < lengthCount + distanceCount {
      let symbol = try next(meta)
      var value: UInt8 = 0
      var count = 1
      switch symbol {
      case 16:
        guard let last = all.last else { throw Inflate.broken("a repetition of nothing") }
        value = last
        count = try take(2) + 3
      case 17: count = try take(3) + 3
      case 18: count = try take(7) + 11
      default: value = UInt8(symbol)
      }
      guard count <= lengthCount + distanceCount - all.count else { throw Inflate.broken("too many code lengths") }
      all.append(contentsOf: repeatElement(value, count: count))
    }
    guard all[256] != 0 else { throw Inflate.broken("a block without an end") }
    let lengths = try HuffmanCode(Array(all[..<lengthCount]))
    try compressed(lengths, try HuffmanCode(Array(all[lengthCount...])))
  }

  // MARK: The format's tables

  private static let codeOrder: [UInt8] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// Groups of four codes share their number of extra bits, the first two groups have none.
  private static let lengthExtra: [Int] = (0..<29).map { $0 < 8 || $0 == 28 ? 0 : $0 / 4 - 1 }
  private static let lengthBase: [Int] = {
    var bases: [Int] = []
    var base = 3
    for code in 0..<28 {
      bases.append(base)
      base += 1 << lengthExtra[code]
    }
    // The greatest length has a code of its own.
    return bases + [258]
  }()
  private static let distanceExtra: [Int] = (0..<30).map { $0 < 4 ? 0 : $0 / 2 - 1 }
  private static let distanceBase: [Int] = {
    var bases: [Int] = []
    var base = 1
    for code in 0..<30 {
      bases.append(base)
      base += 1 << distanceExtra[code]
    }
    return bases
  }()

  private static func fixedLengths() throws(Diagnostic) -> HuffmanCode {
    var lengths = [UInt8](repeating: 8, count: 288)
    for symbol in 144..<256 { lengths[symbol] = 9 }
    for symbol in 256..<280 { lengths[symbol] = 7 }
    return try HuffmanCode(lengths)
  }
  private static func fixedDistances() throws(Diagnostic) -> HuffmanCode {
    try HuffmanCode([UInt8](repeating: 5, count: 30))
  }
}

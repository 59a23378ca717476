/// Sets of characters as ranges in order that neither meet nor touch.
enum RegularExpressionClass {
  typealias Ranges = [ClosedRange<UInt32>]

  static let last: UInt32 = 0x10ffff
  static let digit: Ranges = [48...57]
  static let word: Ranges = [48...57, 65...90, 95...95, 97...122]
  static let space: Ranges = [9...10, 12...13, 32...32]
  static let any: Ranges = [0...last]
  static let anyButNewLine: Ranges = [0...9, 11...last]

  static let named: [String: Ranges] = [
    "alnum": [48...57, 65...90, 97...122], "alpha": [65...90, 97...122], "ascii": [0...127], "blank": [9...9, 32...32],
    "cntrl": [0...31, 127...127], "digit": digit, "graph": [33...126], "lower": [97...122], "print": [32...126],
    "punct": [33...47, 58...64, 91...96, 123...126], "space": [9...13, 32...32], "upper": [65...90], "word": word,
    "xdigit": [48...57, 65...70, 97...102],
  ]

  static func joined(_ ranges: Ranges) -> Ranges {
    var result: Ranges = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let previous = result.last, range.lowerBound <= previous.upperBound &+ 1 {
        result[result.count - 1] = previous.lowerBound...max(previous.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  static func inverted(_ ranges: Ranges) -> Ranges {
    var result: Ranges = []
    var start: UInt32 = 0
    for range in joined(ranges) {
      if range.lowerBound > start { result.append(start...(range.lowerBound - 1)) }
      start = range.upperBound + 1
    }
    if start <= last { result.append(start...last) }
    return result
  }

  /// The characters and those that differ from them in case alone.
  static func foldingCase(_ ranges: Ranges) -> Ranges {
    var result = ranges
    for range in ranges {
      // Letters that have cases lie below this.
      guard range.lowerBound <= 0x1e943 else { continue }
      for value in range.lowerBound...min(range.upperBound, 0x1e943) {
        guard let scalar = Unicode.Scalar(value) else { continue }
        for form in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
          let scalars = form.unicodeScalars
          if scalars.count == 1, let other = scalars.first?.value, other != value { result.append(other...other) }
        }
      }
    }
    return joined(result)
  }
}

/// A positive double with all its decimal digits: a thousand at most, so plainly done.
struct ExactDecimal {
  /// Digits of base 10, the most significant first.
  private var digits: [UInt8]
  /// The place of the first digit: 0 is ones, -1 tenths.
  private var exponent: Int

  init(_ value: Double) {
    // value = significand * 2 ^ power, both integers.
    let significand = UInt64(value.significandBitPattern) | (value.isNormal ? 1 << 52 : 0)
    let power = (value.isNormal ? Int(value.exponentBitPattern) : 1) - 1075
    digits = String(significand).utf8.map { $0 - 48 }
    exponent = digits.count - 1
    for _ in 0..<Swift.max(power, 0) { double() }
    for _ in 0..<Swift.max(-power, 0) { halve() }
    let zeros = digits.prefix { $0 == 0 }.count
    digits.removeFirst(zeros)
    exponent -= zeros
  }

  private mutating func double() {
    var carry: UInt8 = 0
    for place in digits.indices.reversed() {
      let sum = digits[place] * 2 + carry
      digits[place] = sum % 10
      carry = sum / 10
    }
    if carry > 0 {
      digits.insert(carry, at: 0)
      exponent += 1
    }
  }

  private mutating func halve() {
    var rest: UInt8 = 0
    for place in digits.indices {
      let value = rest * 10 + digits[place]
      digits[place] = value / 2
      rest = value % 2
    }
    if rest > 0 { digits.append(5) }
    if digits.first == 0, digits.count > 1 {
      digits.removeFirst()
      exponent -= 1
    }
  }

  /// The first `count` digits as a number, rounded to nearest, ties to even.
  mutating func rounded(to count: Int) -> (number: Int, exponent: Int) {
    var number = 0
    for place in 0..<count { number = number * 10 + (place < digits.count ? Int(digits[place]) : 0) }
    let rest = digits.dropFirst(count)
    if let first = rest.first {
      let isTie = first == 5 && rest.dropFirst().allSatisfy { $0 == 0 }
      if isTie ? number % 2 == 1 : first >= 5 { number += 1 }
    }
    var limit = 1
    for _ in 0..<count { limit *= 10 }
    return number == limit ? (number / 10, exponent + 1) : (number, exponent)
  }
}

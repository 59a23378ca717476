import Support

/// Integer functions on 64-bit patterns; whoever stores the result wraps it to the element type.
struct IntegerArithmetic {
  private let bits: Int
  private let isSigned: Bool
  /// u64 does not fit `Int`: its patterns divide and compare as `UInt`.
  private var isWide: Bool { bits == 64 && !isSigned }

  init(_ element: ElementType) {
    bits = element == .bool ? 1 : element.bits
    isSigned = element.isSigned
  }

  func isLess(_ a: Int, _ b: Int) -> Bool { isWide ? UInt(bitPattern: a) < UInt(bitPattern: b) : a < b }

  func apply(_ function: Binary.Function, _ a: Int, _ b: Int) throws(Diagnostic) -> Int {
    switch function {
    case .add: return a &+ b
    case .sub: return a &- b
    case .mul: return a &* b
    case .minimum: return isLess(b, a) ? b : a
    case .maximum: return isLess(a, b) ? b : a
    case .and: return a & b
    case .or: return a | b
    case .xor: return a ^ b
    case .pow: return try power(a, b)
    case .shiftLeft: return (0..<bits).contains(b) ? a << b : 0
    case .shiftRight:
      guard (0..<bits).contains(b) else { return isSigned && a < 0 ? -1 : 0 }
      return isWide ? Int(bitPattern: UInt(bitPattern: a) >> UInt(b)) : a >> b
    case .div, .mod, .rem, .floorDiv: return try divide(function, a, b)
    case .atan2: throw .bug("atan2 takes no integers")
    }
  }

  private func divide(_ function: Binary.Function, _ a: Int, _ b: Int) throws(Diagnostic) -> Int {
    guard b != 0 else { throw .invalid("integer division by zero") }
    let wantsQuotient = function == .div || function == .floorDiv
    if isWide {
      let (quotient, remainder) = UInt(bitPattern: a).quotientAndRemainder(dividingBy: UInt(bitPattern: b))
      return Int(bitPattern: wantsQuotient ? quotient : remainder)
    }
    // The one quotient that overflows wraps.
    if b == -1 { return wantsQuotient ? 0 &- a : 0 }
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    let isAbove = remainder != 0 && (remainder < 0) != (b < 0)
    switch function {
    case .div: return quotient
    case .rem: return remainder
    case .floorDiv: return isAbove ? quotient - 1 : quotient
    default: return isAbove ? remainder + b : remainder
    }
  }

  /// By squaring; a negative exponent gives the real result rounded towards zero.
  private func power(_ base: Int, _ exponent: Int) throws(Diagnostic) -> Int {
    if isSigned, exponent < 0 {
      guard base != 0 else { throw .invalid("integer division by zero") }
      return base == 1 ? 1 : base == -1 ? (exponent & 1 == 0 ? 1 : -1) : 0
    }
    var (result, factor, rest) = (1, base, UInt(bitPattern: exponent))
    while rest != 0 {
      if rest & 1 != 0 { result = result &* factor }
      factor = factor &* factor
      rest >>= 1
    }
    return result
  }
}

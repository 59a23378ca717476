/// Float formats narrower than 32 bits: how their bits are laid out, and exact conversion both ways.
public struct SmallFloat: Sendable {
  /// What the top of the exponent range means.
  enum Specials: Sendable {
    /// Infinities and NaNs, as IEEE 754 has them.
    case ieee
    /// One NaN (all ones, either sign), no infinity.
    case finite
    /// The NaN is minus zero; no infinity.
    case unsignedZero
    /// Every pattern is a number.
    case none
  }
  let exponentBits: Int
  let mantissaBits: Int
  let bias: Int
  let specials: Specials

  /// The layout of `element`, or nil when it is not a small float with a sign bit.
  public init?(_ element: ElementType) {
    switch element {
    case .f16: self.init(5, 10, 15, .ieee)
    case .bf16: self.init(8, 7, 127, .ieee)
    case .f8e5m2: self.init(5, 2, 15, .ieee)
    case .f8e4m3fn: self.init(4, 3, 7, .finite)
    case .f8e4m3fnuz: self.init(4, 3, 8, .unsignedZero)
    case .f8e5m2fnuz: self.init(5, 2, 16, .unsignedZero)
    case .f4e2m1: self.init(2, 1, 1, .none)
    default: return nil
    }
  }

  private init(_ exponentBits: Int, _ mantissaBits: Int, _ bias: Int, _ specials: Specials) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.specials = specials
  }

  private var signBit: Int { 1 << (exponentBits + mantissaBits) }
  private var exponentMask: Int { (1 << exponentBits) - 1 }
  private var mantissaMask: Int { (1 << mantissaBits) - 1 }

  public func decode(_ bits: UInt16) -> Double {
    let value = Int(bits)
    let negative = value & signBit != 0
    let exponent = (value >> mantissaBits) & exponentMask
    let mantissa = value & mantissaMask
    switch specials {
    case .ieee where exponent == exponentMask:
      return mantissa != 0 ? .nan : negative ? -.infinity : .infinity
    case .finite where exponent == exponentMask && mantissa == mantissaMask: return .nan
    case .unsignedZero where negative && exponent == 0 && mantissa == 0: return .nan
    default: break
    }
    let significand = Double(exponent == 0 ? mantissa : mantissa | (1 << mantissaBits))
    let power = (exponent == 0 ? 1 : exponent) - bias - mantissaBits
    let magnitude = Double(sign: .plus, exponent: power, significand: significand)
    return negative ? -magnitude : magnitude
  }

  /// The nearest value, ties to even. Beyond the greatest finite value: that value when `saturate`, otherwise
  /// infinity, or NaN where the format has none.
  public func encode(_ number: Double, saturate: Bool = false) -> UInt16 {
    let sign = number.sign == .minus ? signBit : 0
    if number.isNaN { return notANumber(sign) }
    if number.isInfinite && !saturate { return overflow(sign) }
    let magnitude = abs(number)
    if magnitude == 0 { return specials == .unsignedZero ? 0 : UInt16(sign) }
    if magnitude >= greatest * 2 { return saturate ? UInt16(sign | greatestBits) : overflow(sign) }
    let exponent = max(magnitude.exponent.advanced(by: 0), 1 - bias)
    // Scaled so that one unit is the last mantissa bit of this binade; rounding is then exact.
    let units = (magnitude / Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1))
      .rounded(.toNearestOrEven)
    var bits = Int(units)
    if bits >= 1 << mantissaBits { bits += (exponent + bias - 1) << mantissaBits }
    if bits > greatestBits { return saturate ? UInt16(sign | greatestBits) : overflow(sign) }
    if bits == 0 && specials == .unsignedZero { return 0 }
    return UInt16(sign | bits)
  }

  /// The bits of the greatest finite value.
  private var greatestBits: Int {
    switch specials {
    case .ieee: (exponentMask << mantissaBits) - 1
    case .finite: signBit - 2
    case .unsignedZero, .none: signBit - 1
    }
  }
  private var greatest: Double { decode(UInt16(greatestBits)) }

  private func overflow(_ sign: Int) -> UInt16 {
    switch specials {
    case .ieee: UInt16(sign | (exponentMask << mantissaBits))
    case .none: UInt16(sign | greatestBits)
    default: notANumber(sign)
    }
  }

  private func notANumber(_ sign: Int) -> UInt16 {
    switch specials {
    case .ieee: UInt16(sign | (exponentMask << mantissaBits) | (1 << (mantissaBits - 1)))
    case .finite: UInt16(sign | (signBit - 1))
    case .unsignedZero: UInt16(signBit)
    case .none: UInt16(sign | greatestBits)
    }
  }
}

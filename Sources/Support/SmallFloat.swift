/// What becomes of a number beyond the greatest finite one of a small float type.
public enum FloatOverflow: Sendable {
  /// Infinity, or NaN where the type has no infinity.
  case nonFinite
  /// The greatest finite number, for infinities too.
  case saturate
}

/// A float type of 16 bits or fewer: how many bits mean what.
///
/// The conversions here are the definition, exact for every input. Loops over many
/// f16 or bf16 numbers use `HalfFloat`, which agrees with them and is faster.
public struct SmallFloat: Sendable, Hashable {
  public enum Specials: Sendable {
    /// The greatest exponent holds infinity and NaN, as IEEE 754 has it.
    case ieee
    /// All ones is NaN, there is no infinity.
    case finite
    /// Minus zero's code is NaN; neither infinity nor minus zero.
    case unsignedZero
    /// Every code is a finite number.
    case none
  }

  public let exponentBits: Int
  public let mantissaBits: Int
  public let bias: Int
  public let specials: Specials

  public static let f16 = SmallFloat(exponentBits: 5, mantissaBits: 10, bias: 15, specials: .ieee)
  public static let bf16 = SmallFloat(exponentBits: 8, mantissaBits: 7, bias: 127, specials: .ieee)
  public static let f8e4m3fn = SmallFloat(exponentBits: 4, mantissaBits: 3, bias: 7, specials: .finite)
  public static let f8e4m3fnuz = SmallFloat(exponentBits: 4, mantissaBits: 3, bias: 8, specials: .unsignedZero)
  public static let f8e5m2 = SmallFloat(exponentBits: 5, mantissaBits: 2, bias: 15, specials: .ieee)
  public static let f8e5m2fnuz = SmallFloat(exponentBits: 5, mantissaBits: 2, bias: 16, specials: .unsignedZero)
  public static let f4e2m1 = SmallFloat(exponentBits: 2, mantissaBits: 1, bias: 1, specials: .none)

  /// Nil for types that are no small floats; f8e8m0 is a bare exponent, see `ScaleFloat`.
  public init?(_ type: ElementType) {
    switch type {
    case .f16: self = .f16
    case .bf16: self = .bf16
    case .f8e4m3fn: self = .f8e4m3fn
    case .f8e4m3fnuz: self = .f8e4m3fnuz
    case .f8e5m2: self = .f8e5m2
    case .f8e5m2fnuz: self = .f8e5m2fnuz
    case .f4e2m1: self = .f4e2m1
    default: return nil
    }
  }

  private init(exponentBits: Int, mantissaBits: Int, bias: Int, specials: Specials) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.specials = specials
  }

  public var bits: Int { 1 + exponentBits + mantissaBits }

  private var signBit: UInt16 { 1 << UInt16(exponentBits + mantissaBits) }
  private var infinityCode: UInt16 { ((1 << UInt16(exponentBits)) - 1) << UInt16(mantissaBits) }

  /// The code of the greatest finite number.
  public var greatestCode: UInt16 {
    switch specials {
    case .ieee: infinityCode - 1
    case .finite: signBit - 2
    case .unsignedZero, .none: signBit - 1
    }
  }

  public var greatest: Double { decode(greatestCode) }

  /// The code of the number nearest to `value`, ties to the even code.
  ///
  /// f4e2m1 saturates always, having nothing else, and has minus zero stand for NaN.
  public func encode(_ value: Double, overflow: FloatOverflow = .nonFinite) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? signBit : 0
    if value.isNaN { return nanCode(sign) }
    guard value.isFinite else { return beyond(sign, overflow) }

    let pattern = value.magnitude.bitPattern
    let exponentField = Int(pattern >> 52)
    let exponent = max(exponentField, 1) - 1023
    let significand = pattern & (1 << 52 - 1) | (exponentField == 0 ? 0 : 1 << 52)

    let least = 1 - bias
    let shift = 52 - mantissaBits + max(least - exponent, 0)
    // Beyond 54 places even the rounding sees zero.
    guard shift <= 54 else { return zero(sign) }
    let half: UInt64 = 1 << UInt64(shift - 1)
    var rounded = significand >> UInt64(shift)
    let rest = significand & (half << 1 - 1)
    if rest > half || rest == half && rounded & 1 == 1 { rounded += 1 }

    // A significand that rounds up to the next power of two carries into the exponent by itself.
    let code = exponent >= least ? UInt64(exponent - least) << UInt64(mantissaBits) + rounded : rounded
    if code > UInt64(greatestCode) { return beyond(sign, overflow) }
    return code == 0 ? zero(sign) : sign | UInt16(code)
  }

  /// The number that a code stands for; higher bits than the type has are ignored.
  public func decode(_ code: UInt16) -> Double {
    let magnitude = code & (signBit - 1)
    let isNegative = code & signBit != 0
    switch specials {
    case .ieee:
      if magnitude == infinityCode { return isNegative ? -.infinity : .infinity }
      if magnitude > infinityCode { return .nan }
    case .finite:
      if magnitude == signBit - 1 { return .nan }
    case .unsignedZero:
      if magnitude == 0, isNegative { return .nan }
    case .none: break
    }
    let exponentField = Int(magnitude >> UInt16(mantissaBits))
    let mantissa = Int(magnitude & (1 << UInt16(mantissaBits) - 1))
    let significand = exponentField == 0 ? mantissa : mantissa | 1 << mantissaBits
    let exponent = max(exponentField, 1) - bias - mantissaBits
    let value = Double(significand) * Double(sign: .plus, exponent: exponent, significand: 1)
    return isNegative ? -value : value
  }

  private func zero(_ sign: UInt16) -> UInt16 { specials == .unsignedZero ? 0 : sign }

  private func nanCode(_ sign: UInt16) -> UInt16 {
    switch specials {
    case .ieee: sign | infinityCode | 1 << UInt16(mantissaBits - 1)
    case .finite: sign | (signBit - 1)
    case .unsignedZero, .none: signBit
    }
  }

  private func beyond(_ sign: UInt16, _ overflow: FloatOverflow) -> UInt16 {
    if overflow == .saturate || specials == .none { return sign | greatestCode }
    return specials == .ieee ? sign | infinityCode : nanCode(sign)
  }
}

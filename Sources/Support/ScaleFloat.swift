/// f8e8m0: a power of two from 2^-127 to 2^127, the scale of a block of small numbers.
public enum ScaleFloat {
  public enum Rounding: String, CaseIterable, Sendable {
    /// To the next greater power.
    case up
    /// To the next smaller power.
    case down
    /// To the nearer power, ties to the greater one.
    case nearest
  }

  public static let nan: UInt8 = 0xff

  public static func decode(_ code: UInt8) -> Double {
    code == nan ? .nan : Double(sign: .plus, exponent: Int(code) - 127, significand: 1)
  }

  /// The code for `value`. Outside the range it saturates or is NaN; zero counts as too
  /// small, negative numbers are always NaN.
  public static func encode(
    _ value: Double, rounding: Rounding = .nearest, overflow: FloatOverflow = .nonFinite
  ) -> UInt8 {
    if value.isNaN || value < 0 { return nan }
    let least: UInt8 = overflow == .saturate ? 0 : nan
    let greatest: UInt8 = overflow == .saturate ? 0xfe : nan
    if value == 0 { return least }
    if value.isInfinite { return greatest }
    var exponent = Int(value.exponent)
    switch rounding {
    case .up: if value.significand > 1 { exponent += 1 }
    case .down: break
    case .nearest: if value.significand >= 1.5 { exponent += 1 }
    }
    if exponent < -127 { return least }
    if exponent > 127 { return greatest }
    return UInt8(exponent + 127)
  }
}

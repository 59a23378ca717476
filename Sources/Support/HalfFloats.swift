/// Fast conversions between f32 and the 16-bit floats, for loops over many numbers.
public enum HalfFloats {
  @inlinable
  public static func float(fromF16 code: UInt16) -> Float {
    let sign = UInt32(code & 0x8000) << 16
    let magnitude = UInt32(code & 0x7fff) << 13
    // Infinity and NaN keep their mantissa under the wider exponent.
    if magnitude >= 0x0f80_0000 { return Float(bitPattern: sign | magnitude | 0x7f80_0000) }
    // The multiplication moves the exponent, and brings subnormal numbers along.
    let value = Float(bitPattern: magnitude) * 0x1p112
    return Float(bitPattern: sign | value.bitPattern)
  }

  @inlinable
  public static func f16(from value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.bitPattern & 0x7fff_ffff
    if magnitude > 0x7f80_0000 { return sign | 0x7e00 }
    // From the middle between the greatest number and the next on, all is infinity.
    if magnitude >= 0x477f_f000 { return sign | 0x7c00 }
    if magnitude < 0x3880_0000 {
      // Where the result is subnormal, adding one half rounds to the result's last place.
      let shifted = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: shifted.bitPattern - 0x3f00_0000)
    }
    let odd = (magnitude >> 13) & 1
    let rounded = magnitude - 0x3800_0000 + 0xfff + odd
    return sign | UInt16(truncatingIfNeeded: rounded >> 13)
  }

  @inlinable
  public static func float(fromBF16 code: UInt16) -> Float { Float(bitPattern: UInt32(code) << 16) }

  @inlinable
  public static func bf16(from value: Float) -> UInt16 {
    let pattern = value.bitPattern
    if pattern & 0x7fff_ffff > 0x7f80_0000 { return UInt16(truncatingIfNeeded: pattern >> 16) & 0x8000 | 0x7fc0 }
    let odd = (pattern >> 16) & 1
    return UInt16(truncatingIfNeeded: (pattern + 0x7fff + odd) >> 16)
  }
}

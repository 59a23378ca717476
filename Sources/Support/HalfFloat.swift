/// f16 and bf16 by their bits, as conversion instructions treat them: to nearest,
/// ties to even, subnormals kept, NaN quieted with the top of its payload.
public enum HalfFloat {
  @inlinable
  public static func f16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt32(bits >> 16) & 0x8000
    let magnitude = bits & 0x7fff_ffff
    if magnitude > 0x7f80_0000 { return UInt16(sign | 0x7e00 | (magnitude >> 13) & 0x3ff) }
    if magnitude >= 0x4780_0000 { return UInt16(sign | 0x7c00) }
    if magnitude < 0x3880_0000 {
      // Beside 0.5 the last bit of f32 is the last bit of a subnormal half: the addition rounds.
      let pushed = (Float(bitPattern: magnitude) + 0.5).bitPattern
      return UInt16(sign | (pushed - 0x3f00_0000))
    }
    let rounded = magnitude + 0xfff + ((magnitude >> 13) & 1) - (112 << 23)
    return UInt16(sign | rounded >> 13)
  }

  @inlinable
  public static func f16(_ value: Double) -> UInt16 { f16(roundedToOdd(value)) }

  @inlinable
  public static func bf16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
  }

  @inlinable
  public static func bf16(_ value: Double) -> UInt16 { bf16(roundedToOdd(value)) }

  @inlinable
  public static func float(f16 half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let magnitude = UInt32(half & 0x7fff) << 13
    if magnitude < 1 << 23 {
      let value = Float(bitPattern: magnitude + (113 << 23)) - 0x1p-14
      return Float(bitPattern: value.bitPattern | sign)
    }
    if magnitude < 0x1f << 23 { return Float(bitPattern: (magnitude + (112 << 23)) | sign) }
    let quiet: UInt32 = magnitude > 0x1f << 23 ? 0x0040_0000 : 0
    return Float(bitPattern: (magnitude + (224 << 23)) | sign | quiet)
  }

  @inlinable
  public static func float(bf16 half: UInt16) -> Float { Float(bitPattern: UInt32(half) << 16) }

  /// f64 to f32 so that a further rounding is correct: an inexact result has an odd mantissa.
  @inlinable
  static func roundedToOdd(_ value: Double) -> Float {
    let near = Float(value)
    if value.isNaN || Double(near) == value { return near }
    let towardsZero = Double(near.magnitude) > value.magnitude ? near.bitPattern - 1 : near.bitPattern
    return Float(bitPattern: towardsZero | 1)
  }
}

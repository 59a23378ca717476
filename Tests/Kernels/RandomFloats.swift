import TestSupport

extension Seeded {
  /// From -1 to 1.
  mutating func float() -> Float { Float(Int32(truncatingIfNeeded: next() >> 40)) / 0x1p23 - 1 }
}

extension Float {
  var bytes: [UInt8] { withUnsafeBytes(of: bitPattern.littleEndian) { Array($0) } }
}

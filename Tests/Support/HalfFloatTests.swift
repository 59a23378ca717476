import Support
import TestSupport
import Testing

@Suite struct HalfFloatTests {
  @Test func everyHalfSurvives() {
    for bits in UInt16.min...UInt16.max {
      let (half, brain) = (HalfFloat.float(f16: bits), HalfFloat.float(bf16: bits))
      if !half.isNaN, HalfFloat.f16(half) != bits { Issue.record("f16 \(bits) does not survive") }
      if !brain.isNaN, HalfFloat.bf16(brain) != bits { Issue.record("bf16 \(bits) does not survive") }
    }
  }

  @Test func roundsToEven() {
    #expect(HalfFloat.f16(Float(1 + 0x1p-11)) == 0x3c00)
    #expect(HalfFloat.f16(Float(1 + 0x3p-11)) == 0x3c02)
    #expect(HalfFloat.f16(Float(65519)) == 0x7bff)
    #expect(HalfFloat.f16(Float(65520)) == 0x7c00)
    #expect(HalfFloat.f16(Float(0x1p-25)) == 0)
    #expect(HalfFloat.f16(Float(0x1.8p-25)) == 1)
    #expect(HalfFloat.bf16(Float(1 + 0x1p-8)) == 0x3f80)
    #expect(HalfFloat.bf16(Float(1 + 0x3p-8)) == 0x3f82)
    // By way of f32 this would round twice and come out as 0x3c01.
    #expect(HalfFloat.f16(1 + 0x1p-11 + 0x1p-40) == 0x3c01)
    #expect(HalfFloat.f16(1 + 0x1p-11 - 0x1p-40) == 0x3c00)
  }

  @Test func agreesWithTheDefinition() {
    for code in UInt16.min...UInt16.max {
      expectSame(HalfFloat.float(f16: code), SmallFloat.f16.decode(code), code)
      expectSame(HalfFloat.float(bf16: code), SmallFloat.bf16.decode(code), code)
    }
    var generator = Seeded(1)
    for _ in 0..<200_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      expectAgrees(value)
      // Most random floats are out of range of f16: narrow the exponent.
      expectAgrees(Float(sign: .minus, exponent: Int(generator.next() % 48) - 30, significand: value.significand))
    }
    for code in UInt16(0)..<0x7c00 {
      let middle = Float((SmallFloat.f16.decode(code) + SmallFloat.f16.decode(code + 1)) / 2)
      for value in [middle, middle.nextUp, middle.nextDown] { expectAgrees(value) }
    }
  }

  // A million expectations that hold would take half a minute.

  private func expectSame(_ value: Float, _ defined: Double, _ code: UInt16) {
    if value.isNaN && defined.isNaN || Double(value).bitPattern == defined.bitPattern { return }
    Issue.record("\(code) is \(value), not \(defined)")
  }

  private func expectAgrees(_ value: Float) {
    guard !value.isNaN else { return }
    let agrees =
      HalfFloat.f16(value) == SmallFloat.f16.encode(Double(value))
      && HalfFloat.bf16(value) == SmallFloat.bf16.encode(Double(value))
    if !agrees { Issue.record("\(value) is encoded otherwise") }
  }

  @Test func nanStaysNaN() {
    for pattern: UInt32 in [0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0x7fc0_0000] {
      let value = Float(bitPattern: pattern)
      #expect(HalfFloat.float(f16: HalfFloat.f16(value)).isNaN)
      #expect(HalfFloat.float(bf16: HalfFloat.bf16(value)).isNaN)
    }
  }
}

import Support
import Testing

@Suite struct SmallFloatTests {
  static let types: [ElementType] = [.f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f4e2m1]

  @Test(arguments: types) func everyCodeReadsBack(_ type: ElementType) throws {
    let format = try #require(SmallFloat(type))
    #expect(format.bits == type.bits)
    for code in UInt16(0)...UInt16((1 << UInt32(format.bits)) - 1) {
      let value = format.decode(code)
      if value.isNaN {
        #expect(format.decode(format.encode(value)).isNaN)
      } else {
        #expect(format.encode(value) == code, "\(type) \(code)")
        let saturated = value.isFinite ? code : format.encode(value < 0 ? -format.greatest : format.greatest)
        #expect(format.encode(value, overflow: .saturate) == saturated)
      }
    }
  }

  /// Between each two neighbours: the middle goes to the even code, all else to the nearer one.
  @Test(arguments: types) func roundsToNearestEven(_ type: ElementType) throws {
    let format = try #require(SmallFloat(type))
    for code in 0..<format.greatestCode {
      let low = format.decode(code)
      let high = format.decode(code + 1)
      let middle = (low + high) / 2
      let even = code & 1 == 0 ? code : code + 1
      #expect(format.encode(middle) == even)
      #expect(format.encode(middle.nextDown) == code)
      #expect(format.encode(middle.nextUp) == code + 1)
      // Zero's negative is a code of its own in some formats only.
      if code > 0 { #expect(format.encode(-middle) == format.encode(-format.decode(even))) }
    }
  }

  @Test(arguments: types) func beyondTheGreatest(_ type: ElementType) throws {
    let format = try #require(SmallFloat(type))
    let step = format.greatest - format.decode(format.greatestCode - 1)
    let limit = format.greatest + step / 2
    #expect(format.encode(limit.nextDown) == format.greatestCode)
    #expect(format.decode(format.encode(limit.nextUp, overflow: .saturate)) == format.greatest)
    #expect(format.decode(format.encode(-.infinity, overflow: .saturate)) == -format.greatest)
    let far = format.decode(format.encode(limit.nextUp))
    switch format.specials {
    case .ieee: #expect(far == .infinity)
    case .finite, .unsignedZero: #expect(far.isNaN)
    case .none: #expect(far == format.greatest)
    }
  }

  @Test func theGreatestNumbers() {
    #expect(SmallFloat.f16.greatest == 65504)
    #expect(SmallFloat.f8e4m3fn.greatest == 448)
    #expect(SmallFloat.f8e4m3fnuz.greatest == 240)
    #expect(SmallFloat.f8e5m2.greatest == 57344)
    #expect(SmallFloat.f8e5m2fnuz.greatest == 57344)
    #expect(SmallFloat.f4e2m1.greatest == 6)
    #expect(SmallFloat.bf16.greatest == 0x1.fep127)
  }

  @Test func specialCodes() {
    #expect(SmallFloat.f8e4m3fn.encode(Double.nan) == 0x7f)
    #expect(SmallFloat.f8e4m3fn.encode(-Double.infinity) == 0xff)
    #expect(SmallFloat.f8e5m2.encode(Double.nan) == 0x7e)
    #expect(SmallFloat.f8e5m2.encode(-Double.infinity) == 0xfc)
    #expect(SmallFloat.f8e5m2fnuz.encode(Double.nan) == 0x80)
    #expect(SmallFloat.f8e4m3fnuz.encode(-0.0) == 0)
    #expect(SmallFloat.f8e4m3fnuz.encode(-1e-9) == 0)
    #expect(SmallFloat.f8e4m3fn.encode(-1e-9) == 0x80)
    #expect(SmallFloat.f4e2m1.encode(Double.nan) == 0x8)
    #expect(SmallFloat.f16.encode(Double.leastNonzeroMagnitude) == 0)
  }

  @Test func scales() {
    for code in UInt8.min..<UInt8.max {
      let value = ScaleFloat.decode(code)
      for rounding in [ScaleFloat.Rounding.up, .down, .nearest] {
        #expect(ScaleFloat.encode(value, rounding: rounding) == code)
      }
    }
    #expect(ScaleFloat.decode(0xff).isNaN)
    #expect(ScaleFloat.encode(3, rounding: .up) == 129)
    #expect(ScaleFloat.encode(3, rounding: .down) == 128)
    #expect(ScaleFloat.encode(3, rounding: .nearest) == 129)
    #expect(ScaleFloat.encode(2.9, rounding: .nearest) == 128)
    #expect(ScaleFloat.encode(0, overflow: .saturate) == 0)
    #expect(ScaleFloat.encode(0) == ScaleFloat.nan)
    #expect(ScaleFloat.encode(.infinity, overflow: .saturate) == 0xfe)
    #expect(ScaleFloat.encode(-1, overflow: .saturate) == ScaleFloat.nan)
  }
}

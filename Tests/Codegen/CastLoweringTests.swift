import Codegen
import IR
import Support
import Testing

/// Rounding to narrow floats as `evaluate` does, numbers at the edges of each type included.
@Suite struct CastLoweringTests {
  static let narrow: [ElementType] = [
    .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f4e2m1,
  ]

  @Test(arguments: narrow, [false, true]) func toNarrowFloats(_ target: ElementType, _ saturate: Bool) throws {
    for source in [ElementType.f32, .f64] {
      let x = Tensor(source, [numbers.count], doubles: numbers)
      try expectLowering("cast \(source) to \(target)", [x.type], [x]) { builder, x in
        [try builder.add(Cast(to: target, saturate: saturate), x[0])]
      }
    }
  }

  private var numbers: [Double] {
    var result: [Double] = [0, -0.0, .infinity, -.infinity, .nan, 0x1p-149, 0x1p-127, 0x1p-128, 0x1p127, 0x1.8p127]
    for exponent in [-126, -24, -17, -10, -9, -8, -7, -2, -1, 0, 1, 2, 7, 8, 14, 15, 16, 120] {
      for significand in [1, 1.125, 1.25, 1.4375, 1.5, 1.75, 1.875, 1.9375] {
        let number = Double(sign: .plus, exponent: exponent, significand: significand)
        result += [number, -number]
      }
    }
    return result
  }
}

import IR
import Support
import Testing

@testable import Codegen

/// Casts to f8e8m0 round as they say, from every type and around every power of two.
@Suite struct ScaleCastTests {
  @Test(arguments: ScaleFloat.Rounding.allCases, [false, true])
  func everyExponent(_ rounding: ScaleFloat.Rounding, _ saturate: Bool) throws {
    for type in [ElementType.f32, .f64, .f16, .bf16, .i32, .u8, .i64, .u64, .bool] {
      let inputs = [type.isFloat ? Tensor(type, [count(type)], doubles: numbers(type)) : integers(type)]
      try expectLowering("\(type) \(rounding) \(saturate)", inputs.map(\.type), inputs, profiles: ["x86-64-v3"]) {
        builder, x in [try builder.add(Cast(to: .f8e8m0, saturate: saturate, rounding: rounding), x)[0]]
      }
    }
  }

  /// What ONNX's table for Cast says of the two usual cases.
  @Test func specialValues() throws {
    let values: [Double] = [0, .nan, .infinity, 0x1.8p127, 0x1p-140, 3, 5, 6]
    let x = Tensor(.f32, [values.count], doubles: values)
    func codes(_ rounding: ScaleFloat.Rounding, _ saturate: Bool) throws -> [UInt8] {
      let module = try loweringModule([x.type]) { builder, x in
        [try builder.add(Cast(to: .f8e8m0, saturate: saturate, rounding: rounding), x)[0]]
      }
      return try Evaluator(module).run("main", [.tensor(x)])[0].expectTensor().bytes.bytes
    }
    #expect(try codes(.up, true) == [0, 0xff, 0xfe, 0xfe, 0, 129, 130, 130])
    #expect(try codes(.nearest, false) == [0xff, 0xff, 0xff, 0xff, 0xff, 129, 129, 130])
    #expect(try codes(.down, true) == [0, 0xff, 0xfe, 0xfe, 0, 128, 129, 129])
  }

  private func count(_ type: ElementType) -> Int { numbers(type).count }

  private func numbers(_ type: ElementType) -> [Double] {
    var result: [Double] = [0, -0.0, .nan, .infinity, -.infinity, -1, 1e300, 1e-300, 0x1.fffffffp127, 0x1p128]
    for exponent in -160...130 {
      for significand in [1.0, 1.000_000_1, 1.25, 1.499_999_9, 1.5, 1.500_000_1, 1.999_999_9, 1 + 0x1p-50] {
        result.append(Double(sign: .plus, exponent: exponent, significand: significand))
      }
    }
    return result
  }

  private func integers(_ type: ElementType) -> Tensor {
    var values = [0, 1]
    if let range = type.integerRange, type != .bool {
      values += [range.lowerBound, range.upperBound]
      for shift in 1..<62 {
        for value in [1 << shift, 1 << shift - 1, 1 << shift + 1, 3 << (shift - 1)] where range.contains(value) {
          values.append(value)
        }
      }
    }
    return Tensor(type, [values.count], integers: values)
  }
}

import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct FakeQuantLoweringTests {
  @Test(arguments: [2, 4, 8, 16]) func agreesWithEvaluate(_ bits: Int) throws {
    let special: [Double] = [0, -0.0, .infinity, -.infinity, .nan, 1e30, 0.125, 0.375, -0.125, -0.375, 0.625]
    var random = Seeded(3)
    let x = special + (0..<80).map { _ in random.double() * 40 }
    for (signed, narrow) in [(true, false), (true, true), (false, false), (false, true)] {
      for (rounding, zero) in [(QuantizationRounding.nearestEven, 0), (.tflite, 1)] {
        for element in [ElementType.f32, .f16, .f64] {
          let inputs = [
            Tensor(element, [x.count], doubles: x), Tensor(.f32, [], doubles: [0.25]),
            Tensor(.i32, [], integers: [zero]),
          ]
          let kind = FakeQuant(bits: bits, signed: signed, narrow: narrow, rounding: rounding)
          for used in [2, 3] {
            try expectLowering(
              "\(bits) bits of \(element), \(zero)", inputs.map(\.type), inputs, profiles: ["x86-64-v3"]
            ) { builder, x in [try builder.add(kind, Array(x[..<used]))[0]] }
          }
        }
      }
    }
  }

  @Test func rows() throws {
    var random = Seeded(4)
    let x = random.tensor(.f32, [3, 5, 18])
    for axis in [0, 1, -1] {
      let count = x.shape[(axis + 3) % 3]
      let inputs = [
        x, Tensor(.f32, [count], doubles: (0..<count).map { 0.01 * Double($0 + 1) }),
        Tensor(.i32, [count], integers: (0..<count).map { $0 * 3 - 7 }),
      ]
      try expectLowering("along \(axis)", inputs.map(\.type), inputs) { builder, x in
        [try builder.add(FakeQuant(axis: axis), x)[0]]
      }
    }
  }

  /// The definition: `quantize`, then `dequantize`.
  @Test func isBothOpsInOne() throws {
    var random = Seeded(5)
    let x = random.tensor(.f32, [200])
    let inputs = [x, Tensor(.f32, [], doubles: [0.013]), Tensor(.i8, [], integers: [-9])]
    let module = try loweringModule(inputs.map(\.type)) { builder, x in
      let q = try builder.add(Quantize(to: .plain(.i8)), x)[0]
      let zero = try builder.add(Cast(to: .i32), [x[2]])[0]
      return [
        try builder.add(Dequantize(), [q, x[1], x[2]])[0], try builder.add(FakeQuant(), [x[0], x[1], zero])[0],
      ]
    }
    let results = try Evaluator(module).run("main", inputs.map { .tensor($0) })
    #expect(results[0] == results[1])
  }
}

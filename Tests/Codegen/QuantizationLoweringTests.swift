import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct QuantizationLoweringTests {
  /// Numbers around halves of a unit of 0.25, infinities and NaN.
  private func awkward(_ count: Int) -> [Double] {
    let special: [Double] = [
      .nan, .infinity, -.infinity, 0, -0.0, 1e30, -1e30, 0.124_999_99, 0.125, -0.125, 0.375, -0.375,
    ]
    return (0..<count).map { $0 < special.count ? special[$0] : (Double($0) - Double(count) / 2) * 0.125 * 3 }
  }

  @Test(arguments: [QuantizationRounding.nearestEven, .tflite]) func operands(_ rounding: QuantizationRounding) throws {
    for element in [ElementType.i8, .u8, .i16, .u16, .i32, .i4, .u4, .i2, .f8e4m3fn, .f8e5m2] {
      let range = element.integerRange ?? 0...0
      for zero in [0, range.lowerBound, range.upperBound / 2] where zero == 0 || !element.isFloat {
        for (scale, scaleType) in [(0.25, ElementType.f32), (0.3, .f32), (0.1, .f16), (0.1, .f64)] {
          let inputs = [
            Tensor(.f32, [43], doubles: awkward(43)), Tensor(scaleType, [], doubles: [scale]),
            Tensor(element, [], doubles: [Double(zero)]),
          ]
          for used in [2, 3] {
            try expectLowering(
              "quantize to \(element) by \(scale), \(zero)", inputs.map(\.type), inputs,
              profiles: scale == 0.25 ? loweringProfiles : ["x86-64-v3"]
            ) { builder, x in
              let kind = Quantize(to: .plain(element), rounding: rounding)
              return [try builder.add(kind, Array(x[..<used]))[0]]
            }
          }
        }
      }
    }
  }

  @Test func rows() throws {
    var random = Seeded(11)
    for axis in [0, 1, -1] {
      let x = random.tensor(.f32, [3, 5, 18])
      let count = x.shape[(axis + 3) % 3]
      let inputs = [
        x, Tensor(.f32, [count], doubles: (0..<count).map { 0.01 * Double($0 + 1) }),
        Tensor(.i8, [count], integers: (0..<count).map { $0 * 3 - 7 }),
      ]
      try expectLowering("quantize along \(axis)", inputs.map(\.type), inputs, .relative(0x1p-23)) { builder, x in
        let q = try builder.add(Quantize(to: .plain(.i8), axis: axis), x)[0]
        let back = try builder.add(Dequantize(axis: axis), [q, x[1], x[2]])[0]
        return [q, back]
      }
    }
  }

  @Test(arguments: [ElementType.i8, .u8, .i16, .i32, .u32, .i64, .i4, .u2, .f8e5m2])
  func dequantizes(_ element: ElementType) throws {
    var random = Seeded(12)
    for to in [ElementType.f32, .f64, .f16] {
      let inputs = [
        random.tensor(element, [3, 17]), Tensor(.f32, [], doubles: [0.3]), Tensor(element, [], doubles: [1]),
      ]
      for used in [2, 3] {
        try expectLowering(
          "dequantize \(element) to \(to)", inputs.map(\.type), inputs, .relative(to == .f16 ? 0x1p-10 : 0x1p-23),
          profiles: ["x86-64-v3", "x86-64-v4"]
        ) { builder, x in [try builder.add(Dequantize(to: to), Array(x[..<used]))[0]] }
      }
    }
  }

  @Test func typesBringParameters() throws {
    var random = Seeded(13)
    let parameters = [
      QuantizationParameters(scales: [0.125], zeroPoints: [5]),
      QuantizationParameters(scales: [0.1, 0.2, 0.3], zeroPoints: [0, 0, 0], axis: 1),
      QuantizationParameters(scales: [0.1, 0.2, 0.3], zeroPoints: [1, 0, -9], axis: 1),
    ]
    let x = random.tensor(.f32, [2, 3, 21])
    for parameters in parameters {
      for element in [ElementType.i8, .i32, .i4] {
        try expectLowering("quantize with \(parameters)", [x.type], [x], .relative(0x1p-23)) { builder, x in
          let name = builder.module.intern(parameters)
          let q = try builder.add(Quantize(to: .quantized(element, name)), x)[0]
          let relu = try builder.add(Dequantize(), [q])[0]
          return [q, relu, try builder.add(Unary(.neg), [relu])[0]]
        }
      }
    }
  }

  @Test func movesOfQuantizedTypes() throws {
    var random = Seeded(14)
    let x = random.tensor(.f32, [1, 4, 4, 3])
    try expectLowering("pad and pool", [x.type], [x]) { builder, x in
      let name = builder.module.intern(QuantizationParameters(scales: [0.05], zeroPoints: [-7]))
      let q = try builder.add(Quantize(to: .quantized(.i8, name)), x)[0]
      let padded = try builder.add(Pad(before: [0, 1, 1, 0], after: [0, 2, 0, 0], value: 0.5), q)
      return [padded, try builder.add(Pool(.max, window: [2, 2], padding: [1, 1, 1, 1]), q)]
    }
  }

  @Test func blocks() throws {
    var random = Seeded(15)
    for format in BlockFormat.all {
      let blocks = 12
      var bytes = (0..<blocks * format.bytesPerBlock).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Scales that are numbers of ordinary size.
      for block in 0..<blocks { bytes[block * format.bytesPerBlock + 1] = 0x2c + UInt8(block % 8) }
      let element = TensorElement.block(format)
      let weight = try Tensor(
        element: element, shape: [4, 3 * format.valuesPerBlock], bytes: ByteView(copying: bytes))
      for to in [ElementType.f32, .f16, .f64] {
        try expectLowering("dequantize \(format.name) to \(to)", [weight.type], [weight]) { builder, x in
          [try builder.add(Dequantize(to: to), [x[0]])[0]]
        }
      }
      let indices = Tensor(.i64, [5], integers: [0, 3, -1, 2, 2])
      try expectLowering("gather \(format.name)", [weight.type, indices.type], [weight, indices]) { builder, x in
        let rows = try builder.add(Gather(axis: 0), x[0], x[1])
        return [rows, try builder.add(Dequantize(), [rows])[0]]
      }
    }
  }
}

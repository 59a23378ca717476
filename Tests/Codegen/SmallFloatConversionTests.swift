import Codegen
import Support
import TestSupport
import Testing

@Suite struct SmallFloatConversionTests {
  static let types: [ElementType] = [
    .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1,
  ]

  @Test(arguments: types) func decodesEveryCode(_ element: ElementType) throws {
    let scalar: LoopScalar = element.bits == 16 ? .i16 : .i8
    let build = KernelBuilder(name: "decode")
    let codes = build.buffer("codes", scalar, .read)
    let numbers = build.buffer("numbers", .f32, .write)
    let count = build.scalar("count")
    build.forEach(build.index(0), count, step: 16) { i in
      let code = build.load(LoopType(scalar, lanes: 16), Address(codes, i))
      build.store(build.decodeSmallFloat(code, element), Address(numbers, i))
    }
    // Also with bits set that are not the type's.
    let all = (0..<1 << scalar.bits).map { UInt16($0) }
    let bytes = scalar == .i8 ? all.map { UInt8($0) } : all.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    var buffers = [bytes, [UInt8](repeating: 0, count: all.count * 4)]
    #expect(try KernelInterpreter(build.finish()).run(&buffers, scalars: [all.count]) == 0)
    let results = floats(buffers[1])
    for (code, result) in zip(all, results) {
      let expected = SmallFloat(element)?.decode(code) ?? ScaleFloat.decode(UInt8(code))
      if expected.isNaN {
        #expect(result.isNaN, "\(element) \(code)")
      } else {
        #expect(result.bitPattern == Float(expected).bitPattern, "\(element) \(code)")
      }
    }
  }

  @Test(arguments: types, [false, true]) func encodesAsDefined(_ element: ElementType, _ saturate: Bool) throws {
    for rounding in element == .f8e8m0 ? ScaleFloat.Rounding.allCases : [.up] {
      try checkEncoding(element, saturate, rounding)
    }
  }

  private func checkEncoding(_ element: ElementType, _ saturate: Bool, _ rounding: ScaleFloat.Rounding) throws {
    let scalar: LoopScalar = element.bits == 16 ? .i16 : .i8
    let build = KernelBuilder(name: "encode")
    let numbers = build.buffer("numbers", .f32, .read)
    let codes = build.buffer("codes", scalar, .write)
    let count = build.scalar("count")
    build.forEach(build.index(0), count, step: 16) { i in
      let number = build.load(LoopType(.f32, lanes: 16), Address(numbers, i))
      let code = build.encodeSmallFloat(number, element, saturate: saturate, rounding: rounding)
      build.store(code, Address(codes, i))
    }
    let words = interestingWords(element)
    var buffers = [words.flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 0xff) } }]
    buffers.append([UInt8](repeating: 0, count: words.count * scalar.bytes))
    #expect(try KernelInterpreter(build.finish()).run(&buffers, scalars: [words.count]) == 0)
    let overflow: FloatOverflow = saturate ? .saturate : .nonFinite
    var mistakes = 0
    for (position, word) in words.enumerated() {
      let number = Double(Float(bitPattern: word))
      let expected =
        SmallFloat(element)?.encode(number, overflow: overflow)
        ?? UInt16(ScaleFloat.encode(number, rounding: rounding, overflow: overflow))
      let low = UInt16(buffers[1][position * scalar.bytes])
      let result = scalar == .i8 ? low : low | UInt16(buffers[1][position * 2 + 1]) << 8
      if result != expected {
        mistakes += 1
        if mistakes < 5 { Issue.record("\(element) of \(number): \(result), not \(expected)") }
      }
    }
    #expect(mistakes == 0)
  }

  /// Every number of the type, every midpoint of two, their neighbours, all exponents, and random bits.
  private func interestingWords(_ element: ElementType) -> [UInt32] {
    var words: [UInt32] = []
    let format = SmallFloat(element)
    let stride = element.bits == 16 ? 7 : 1
    let values = Swift.stride(from: 0, to: 1 << (element.bits - 1), by: stride).map { code in
      Float(format?.decode(UInt16(code)) ?? ScaleFloat.decode(UInt8(code)))
    }
    for (value, next) in zip(values, values.dropFirst()) {
      for center in [value, value + (next - value) / 2] {
        for offset in -2...2 { words.append(center.bitPattern &+ UInt32(bitPattern: Int32(offset))) }
      }
    }
    for exponent in UInt32(0)..<256 {
      for mantissa: UInt32 in [0, 1, 0x1f_ffff, 0x20_0000, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x60_0000, 0x7f_ffff] {
        words.append(exponent << 23 | mantissa)
      }
    }
    var random = Seeded(UInt64(element.bits) + 77)
    for _ in 0..<20_000 { words.append(UInt32(truncatingIfNeeded: random.next())) }
    words += words.map { $0 ^ 0x8000_0000 }
    while words.count % 16 != 0 { words.append(0) }
    return words
  }

  private func floats(_ bytes: [UInt8]) -> [Float] {
    bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }
}

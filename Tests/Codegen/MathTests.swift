import Codegen
import Foundation
import Support
import TestSupport
import Testing

/// The math functions, interpreted, against the C library's in double precision.
@Suite struct MathTests {
  struct Function: Sendable, CustomStringConvertible {
    let description: String
    /// The greatest error allowed for f32, in units of the last place, with and without fused multiply-add.
    let bound: Double
    let emit: @Sendable (VectorMath, LoopValue) -> LoopValue
    let reference: @Sendable (Double) -> Double
    /// Whether results below the least normal number may be zero.
    let flushes: Bool

    init(
      _ description: String, _ bound: Double, _ emit: @escaping @Sendable (VectorMath, LoopValue) -> LoopValue,
      _ reference: @escaping @Sendable (Double) -> Double, flushes: Bool = false
    ) {
      self.description = description
      self.bound = bound
      self.emit = emit
      self.reference = reference
      self.flushes = flushes
    }
  }

  static let functions: [Function] = [
    Function("exp", 1, { $0.exp($1) }, { Foundation.exp($0) }),
    Function(
      "exp of non-positive", 1.02, { $0.expOfNonPositive($0.builder.unary(.neg, $0.builder.unary(.abs, $1))) },
      { Foundation.exp(-abs($0)) }, flushes: true),
    Function("expm1", 1.1, { $0.expm1($1) }, { Foundation.expm1($0) }),
    Function("log", 1, { $0.log($1) }, { Foundation.log($0) }),
    Function("tanh", 1.5, { $0.tanh($1) }, { Foundation.tanh($0) }),
    Function(
      "sigmoid", 2, { $0.sigmoid($1) },
      { $0 < 0 ? Foundation.exp($0) / (1 + Foundation.exp($0)) : 1 / (1 + Foundation.exp(-$0)) }),
    Function("erf", 1.25, { $0.erf($1) }, { Foundation.erf($0) }),
    Function("sin", 1, { $0.sin($1) }, { Foundation.sin($0) }),
    Function("cos", 1, { $0.cos($1) }, { Foundation.cos($0) }),
    Function("exp2", 1, { $0.exp2($1) }, { Foundation.exp2($0) }),
    Function("log2", 1.15, { $0.log2($1) }, { Foundation.log2($0) }),
    Function("log1p", 1.5, { $0.log1p($1) }, { Foundation.log1p($0) }),
    Function("tan", 1.05, { $0.tan($1) }, { Foundation.tan($0) }),
    Function("asin", 1, { $0.asin($1) }, { Foundation.asin($0) }),
    Function("acos", 1, { $0.acos($1) }, { Foundation.acos($0) }),
    Function("atan", 1, { $0.atan($1) }, { Foundation.atan($0) }),
    Function("sinh", 1, { $0.sinh($1) }, { Foundation.sinh($0) }),
    Function("cosh", 1, { $0.cosh($1) }, { Foundation.cosh($0) }),
    Function("asinh", 1.5, { $0.asinh($1) }, { Foundation.asinh($0) }),
    Function("acosh", 1.5, { $0.acosh($1) }, { Foundation.acosh($0) }),
    Function("atanh", 1.5, { $0.atanh($1) }, { Foundation.atanh($0) }),
    Function("round_away", 0, { $0.roundAway($1) }, { $0.rounded(.toNearestOrAwayFromZero) }),
    Function("rsqrt", 1.5, { $0.rsqrt($1) }, { 1 / $0.squareRoot() }),
    Function("reciprocal", 0.5, { $0.reciprocal($1) }, { 1 / $0 }),
  ]

  @Test(arguments: functions, [true, false]) func staysWithinItsBound(_ function: Function, _ fused: Bool) throws {
    let numbers = sample(function.description.count)
    let results = try run32(function, fused, numbers)
    var greatest = 0.0
    var worst: Float = 0
    for (number, result) in zip(numbers, results) {
      if function.flushes, result == 0, function.reference(Double(number)) < Double(Float.leastNormalMagnitude) {
        continue
      }
      let error = unitsOff(result, function.reference(Double(number)))
      if error > greatest { (greatest, worst) = (error, number) }
    }
    #expect(greatest <= function.bound, "\(function) of \(worst)")
  }

  struct Activation: Sendable, CustomStringConvertible {
    let description: String
    let emit: @Sendable (VectorMath, LoopValue) -> LoopValue
    let reference: @Sendable (Double) -> Double
  }

  static let activations = [
    Activation(description: "silu", emit: { $0.silu($1) }, reference: { $0 / (1 + Foundation.exp(-$0)) }),
    Activation(
      description: "gelu", emit: { $0.gelu($1) }, reference: { $0 * (0.5 * Foundation.erfc(-$0 * 0.5.squareRoot())) }),
    Activation(
      description: "gelu_tanh", emit: { $0.geluTanh($1) },
      reference: { $0 / (1 + Foundation.exp(-1.5957691216057308 * ($0 + 0.044715 * $0 * $0 * $0))) }),
    Activation(
      description: "hard_swish", emit: { $0.hardSwish($1) }, reference: { $0 * min(max($0 + 3, 0), 6) / 6 }),
  ]

  /// Errors against the argument: 2^-23 of it, what one rounding of the factor that it is multiplied with may cost, and
  /// a unit of the result.
  @Test(arguments: activations, [true, false]) func followsTheArgument(_ activation: Activation, _ fused: Bool) throws {
    let numbers = sample(activation.description.count) + (0..<8_000).map { Float($0 - 4_000) / 300 }
    let function = Function(activation.description, 0, activation.emit, activation.reference)
    for (number, result) in zip(numbers, try run32(function, fused, numbers)) {
      let expected = activation.reference(Double(number))
      if expected.isNaN || number.isInfinite {
        #expect(
          result.isNaN == expected.isNaN && (expected.isNaN || Double(result) == expected), "\(function) of \(number)")
      } else {
        let bound = abs(Double(number)) * 0x1p-23 + abs(expected) * 0x1p-23 + 0x1p-149
        #expect(abs(Double(result) - expected) <= bound, "\(function) of \(number)")
      }
    }
  }

  /// f64 against a reference of the same precision: itself half a unit off.
  @Test(arguments: functions, [true, false]) func agreesInDoubles(_ function: Function, _ fused: Bool) throws {
    var random = Seeded(5)
    var numbers = specials.map { Double($0) }
    numbers += [.leastNonzeroMagnitude, -.leastNonzeroMagnitude, 1.5e308, -1.5e308, 0x1p-1030, 709.7, -745.1, 1e22]
    for _ in 0..<2_000 {
      numbers.append(Double(bitPattern: random.next()))
      numbers.append(Double.random(in: -3...3, using: &random))
      numbers.append(Double.random(in: -50...50, using: &random))
    }
    while numbers.count % 4 != 0 { numbers.append(0) }
    let kernel = mapKernel(.f64, lanes: 4) { function.emit(VectorMath($0, fused: fused), $1) }
    let input = numbers.withUnsafeBytes { Array($0) }
    var buffers = [input, [UInt8](repeating: 0, count: input.count)]
    #expect(try KernelInterpreter(kernel).run(&buffers, scalars: [numbers.count]) == 0)
    let results = buffers[1].withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    for (number, result) in zip(numbers, results) {
      let expected = function.reference(number)
      if function.flushes, result == 0, expected < .leastNormalMagnitude { continue }
      if expected.isNaN {
        #expect(result.isNaN, "\(function) of \(number)")
      } else if expected == 0 || expected.isInfinite {
        #expect(result.bitPattern == expected.bitPattern, "\(function) of \(number)")
      } else {
        #expect(abs(result - expected) <= 3 * expected.ulp, "\(function) of \(number)")
      }
    }
  }

  /// The f64 that comes closest to a whole number of quarter turns, the cosine from 1500-bit arithmetic.
  @Test(arguments: [true, false]) func reducesTheHardestAngle(_ fused: Bool) throws {
    let kernel = mapKernel(.f64, lanes: 1) { VectorMath($0, fused: fused).cos($1) }
    let angle = 0x1.6ac5b262ca1ffp849
    var buffers = [withUnsafeBytes(of: angle) { Array($0) }, [UInt8](repeating: 0, count: 8)]
    #expect(try KernelInterpreter(kernel).run(&buffers, scalars: [1]) == 0)
    let result = buffers[1].withUnsafeBytes { $0.load(as: Double.self) }
    #expect(result == -0x1.14ae72e6ba22fp-61)
  }

  @Test(arguments: [LoopScalar.f16, .bf16]) func roundsHalfFloatsOnce(_ scalar: LoopScalar) throws {
    let kernel = mapKernel(scalar, lanes: 8) { VectorMath($0).exp($1) }
    let codes = (0..<1 << 16).map { UInt16($0) }
    let input = codes.withUnsafeBytes { Array($0) }
    var buffers = [input, input]
    #expect(try KernelInterpreter(kernel).run(&buffers, scalars: [codes.count]) == 0)
    let results = buffers[1].withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
    let format = scalar == .f16 ? SmallFloat.f16 : .bf16
    for (code, result) in zip(codes, results) {
      let expected = Foundation.exp(format.decode(code))
      guard !expected.isNaN else {
        #expect(format.decode(result).isNaN)
        continue
      }
      let off = Int(result) - Int(format.encode(Double(Float(expected))))
      #expect(abs(off) <= 1)
    }
  }

  // MARK: Powers

  @Test(arguments: [true, false]) func powersFollowTheStandard(_ fused: Bool) throws {
    var bases: [Float] = []
    var exponents: [Float] = []
    let wholes: [Float] = [-2, -3, 3, 1.5, -1.5, 33, -33, 8_388_607, 8_388_607.5, 16_777_215, 16_777_216, -16_777_215]
    for base in specials + wholes {
      for exponent in specials + wholes {
        bases.append(base)
        exponents.append(exponent)
      }
    }
    var random = Seeded(9)
    for _ in 0..<20_000 {
      let base = Float(bitPattern: UInt32(truncatingIfNeeded: random.next() >> 33))
      let logarithm = Foundation.log(Double(base))
      bases.append(base)
      exponents.append(Float(Double.random(in: -105...95, using: &random) / (logarithm == 0 ? 1 : logarithm)))
      bases.append(1 + Float.random(in: -1...1, using: &random) * 0x1p-12)
      exponents.append(Float.random(in: -300_000...300_000, using: &random))
    }
    while bases.count % 8 != 0 {
      bases.append(1)
      exponents.append(1)
    }
    let build = KernelBuilder(name: "pow")
    let (x, y) = (build.buffer("x", .f32, .read), build.buffer("y", .f32, .read))
    let result = build.buffer("result", .f32, .write)
    let count = build.scalar("count")
    build.forEach(build.index(0), count, step: 8) { i in
      let base = build.load(LoopType(.f32, lanes: 8), Address(x, i))
      let exponent = build.load(LoopType(.f32, lanes: 8), Address(y, i))
      build.store(VectorMath(build, fused: fused).pow(base, exponent), Address(result, i))
    }
    var buffers = [bases.withUnsafeBytes { Array($0) }, exponents.withUnsafeBytes { Array($0) }]
    buffers.append(buffers[0])
    #expect(try KernelInterpreter(build.finish()).run(&buffers, scalars: [bases.count]) == 0)
    let results = buffers[2].withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    for position in bases.indices {
      let (base, exponent) = (bases[position], exponents[position])
      let error = unitsOff(results[position], Foundation.pow(Double(base), Double(exponent)))
      #expect(error <= 1, "\(base) to the \(exponent) gave \(results[position])")
    }
  }

  // MARK: Vehicles

  private let specials: [Float] = [
    0, -0.0, .infinity, -.infinity, .nan, 1, -1, 0.5, -0.5, 2, 0x1p-149, -0x1p-149, 0x1p-140, 0x1p-126, -0x1p-126,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.7, -103.9, 0x1p-30, 0x1.921fb6p1, 1e10,
  ]

  /// Specials, every exponent, an even walk through all patterns, and the middle range densely.
  private func sample(_ seed: Int) -> [Float] {
    var numbers = specials
    for word in stride(from: UInt64(0), to: 1 << 32, by: 150_001) { numbers.append(Float(bitPattern: UInt32(word))) }
    var random = Seeded(UInt64(seed))
    for _ in 0..<10_000 {
      numbers.append(Float.random(in: -2...2, using: &random))
      numbers.append(Float.random(in: -20...20, using: &random))
      numbers.append(Float.random(in: -110...110, using: &random))
    }
    while numbers.count % 16 != 0 { numbers.append(0) }
    return numbers
  }

  private func mapKernel(
    _ scalar: LoopScalar, lanes: Int, _ function: (KernelBuilder, LoopValue) -> LoopValue
  ) -> Kernel {
    let build = KernelBuilder(name: "map")
    let x = build.buffer("x", scalar, .read)
    let y = build.buffer("y", scalar, .write)
    let count = build.scalar("count")
    build.forEach(build.index(0), count, step: lanes) { i in
      let value = build.load(LoopType(scalar, lanes: lanes), Address(x, i))
      build.store(function(build, value), Address(y, i))
    }
    return build.finish()
  }

  private func run32(_ function: Function, _ fused: Bool, _ numbers: [Float]) throws -> [Float] {
    let kernel = mapKernel(.f32, lanes: 16) { function.emit(VectorMath($0, fused: fused), $1) }
    let input = numbers.withUnsafeBytes { Array($0) }
    var buffers = [input, [UInt8](repeating: 0, count: input.count)]
    #expect(try KernelInterpreter(kernel).run(&buffers, scalars: [numbers.count]) == 0)
    return buffers[1].withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }

  /// The distance in units of the last place of the exact result; infinite when NaN, infinity or a zero's sign is wrong.
  private func unitsOff(_ result: Float, _ exact: Double) -> Double {
    if exact.isNaN { return result.isNaN ? 0 : .infinity }
    let rounded = Float(exact)
    if rounded.isInfinite {
      return result == rounded || !exact.isInfinite && abs(result) > 3.4028233e38 ? 0 : .infinity
    }
    if exact == 0 { return result.bitPattern == rounded.bitPattern ? 0 : .infinity }
    guard result.isFinite, result.sign == rounded.sign else { return .infinity }
    let exponent = max(exact.exponent, -126) - 23
    return abs(Double(result) - exact) / Double(sign: .plus, exponent: exponent, significand: 1)
  }
}

import IR
import Support
import Testing

@testable import Codegen

/// `cast` between all types, compiled against `evaluate`: every code of types of up to 16 bits.
@Suite struct CastPairTests {
  private static let elements = ElementType.allCases.filter { $0 != .string && $0 != .f8e8m0 }

  @Test(arguments: elements) func everyPair(_ from: ElementType) throws {
    for to in Self.elements where to != from {
      let x = try source(from, to)
      let saturations = to.isFloat && to.bits == 8 ? [true, false] : [true]
      for saturate in saturations {
        try expectLowering(
          "\(from) to \(to), saturate \(saturate)", [x.type], [x], profiles: ["x86-64-v4"]
        ) { builder, x in [try builder.add(Cast(to: to, saturate: saturate), x)[0]] }
      }
    }
  }

  /// All codes, or samples with numbers around what the target rounds at.
  private func source(_ from: ElementType, _ to: ElementType) throws -> Tensor {
    if from.bits == 16 {
      let bytes = (0..<1 << 16).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      return try Tensor(element: .plain(from), shape: [1 << 16], bytes: ByteView(copying: bytes))
    }
    let samples = ElementSamples.tensor(from, count: 400)
    guard from == .f32 || from == .f64, let format = SmallFloat(to) else { return samples }
    var numbers = samples.doubles()
    let step = Swift.max(1, Int(format.greatestCode) / 500)
    for code in stride(from: 0, to: Int(format.greatestCode), by: step) {
      let middle = (format.decode(UInt16(code)) + format.decode(UInt16(code + 1))) / 2
      for factor in [1, 1 + 0x1p-23, 1 - 0x1p-23, 1 + 0x1p-50, 1 - 0x1p-50] {
        numbers.append(middle * factor)
        numbers.append(-middle * factor)
      }
    }
    let beyond = format.greatest * 1.5
    numbers += [beyond, -beyond, format.greatest, format.greatest.nextUp]
    return Tensor(from, [numbers.count], doubles: numbers)
  }
}

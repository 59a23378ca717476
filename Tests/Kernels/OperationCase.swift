import Codegen
import Support
import TestSupport

/// Kernels that apply many operations to the same elements: one output section an operation.
struct OperationCase {
  static let elements = 96
  var kernel: Kernel
  let lanes: Int
  /// What each section of the output holds.
  var sections: [(name: String, scalar: LoopScalar)]
  var inputs: [[UInt8]]

  /// Operations on three operands of one type, loaded lane by lane from `a`, `b` and `c`.
  typealias Make = (KernelBuilder, LoopValue, LoopValue, LoopValue) -> LoopValue

  init(_ name: String, _ type: LoopType, _ operations: [(name: String, make: Make)]) {
    lanes = type.lanes
    let builder = KernelBuilder(name: name)
    let names = ["a", "b", "c"]
    let buffers = names.map { builder.buffer($0, type.scalar, .read, elements: Self.elements) }
    var outputs: [BufferReference] = []
    sections = []
    let open = operations.map { operation in
      // The type of a result is known once it is built; build once aside to learn it.
      let probe = KernelBuilder(name: "probe")
      let zero = probe.zero(type)
      return (operation, probe.type(operation.make(probe, zero, zero, zero)))
    }
    for (number, (operation, result)) in open.enumerated() {
      sections.append((operation.name, result.scalar))
      let count = Self.elements / type.lanes * result.lanes
      outputs.append(builder.buffer("out\(number)", result.scalar, .write, elements: count))
    }
    let end = builder.index(Self.elements)
    builder.forEach(builder.index(0), end, step: type.lanes) { place in
      let operands = buffers.map { builder.load(type, Address($0, place)) }
      let group = builder.div(place, builder.index(type.lanes))
      for (number, (operation, result)) in open.enumerated() {
        let value = operation.make(builder, operands[0], operands[1], operands[2])
        builder.store(value, Address(outputs[number], builder.mul(group, result.lanes)))
      }
    }
    kernel = builder.finish()
    var random = Seeded(42)
    inputs = []
    for _ in names { inputs.append(TestValues.bytes(type.scalar, count: Self.elements, &random)) }
    for buffer in kernel.buffers.dropFirst(names.count) {
      inputs.append(Array(repeating: 0x5a, count: (buffer.elements ?? 0) * buffer.scalar.bytes))
    }
  }

  /// The first difference between what was computed and what the interpreter says, if any.
  func difference(_ actual: [[UInt8]], _ expected: [[UInt8]], flushesBF16: Bool) -> String? {
    for (number, section) in sections.enumerated() {
      let (got, wanted) = (actual[number + 3], expected[number + 3])
      if got == wanted { continue }
      let size = section.scalar.bytes
      for element in 0..<wanted.count / size {
        let range = element * size..<(element + 1) * size
        let (x, y) = (TestValues.bits(got[range]), TestValues.bits(wanted[range]))
        if x == y || TestValues.areNaN(x, y, section.scalar) { continue }
        if flushesBF16 && section.scalar == .bf16 && y & 0x7fff <= 0x80 && x == y & 0x8000 { continue }
        return "\(section.name) [\(element)]: \(String(x, radix: 16)), expected \(String(y, radix: 16))"
      }
    }
    return nil
  }
}

/// Numbers at which implementations differ, and random ones.
enum TestValues {
  static func bytes(_ scalar: LoopScalar, count: Int, _ random: inout Seeded) -> [UInt8] {
    var result: [UInt8] = []
    let special = specials(scalar)
    for number in 0..<count {
      var bits = random.next()
      if number % 3 == 0 {
        bits = special[random.below(special.count)]
      } else if scalar.isFloat && number % 3 == 1 {
        bits = moderate(scalar, random.float() * 100)
      }
      if scalar == .i1 { bits &= 1 }
      result += withUnsafeBytes(of: bits.littleEndian) { Array($0.prefix(scalar.bytes)) }
    }
    return result
  }

  private static func moderate(_ scalar: LoopScalar, _ value: Float) -> UInt64 {
    switch scalar {
    case .f16: UInt64(HalfFloat.f16(value))
    case .bf16: UInt64(HalfFloat.bf16(value))
    case .f32: UInt64(value.bitPattern)
    default: Double(value).bitPattern
    }
  }

  private static func specials(_ scalar: LoopScalar) -> [UInt64] {
    switch scalar {
    case .f16:
      [0, 0x8000, 0x3c00, 0xbc00, 1, 0x8001, 0x3ff, 0x400, 0x7bff, 0x7c00, 0xfc00, 0x7e01, 0x3800, 0x3e00, 0xc100]
    case .bf16:
      [0, 0x8000, 0x3f80, 0xbf80, 1, 0x8001, 0x7f, 0x80, 0x7f7f, 0x7f80, 0xff80, 0x7fc1, 0x3f00, 0x3fc0, 0xc020]
    case .f32: floats
    case .f64: doubles
    default: integers(scalar.bits)
    }
  }

  private static let floats: [UInt64] = {
    let values: [Float] = [
      0, -0.0, 1, -1, 0.5, 1.5, 2.5, -2.5, 0x1p23, -0x1.8p23, 0x1p31, -0x1p31, 0x1p63, 1e30, .infinity, -.infinity,
      .nan, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 65504, 65520, 0x1p-24, 0x1.8p-25,
    ]
    return values.map { UInt64($0.bitPattern) }
  }()

  private static let doubles: [UInt64] = {
    let values: [Double] = [
      0, -0.0, 1, -1, 0.5, 2.5, -2.5, 0x1p52, -0x1p31, 0x1p63, 1e300, .infinity, -.infinity, .nan,
      .leastNonzeroMagnitude, .leastNormalMagnitude, 65520, 65519.9999999999, 0x1.002p0, 0x1.0020000000001p0, 0x1.01p0,
      0x1.0100000000001p0, 3.5e38, 0x1p-149, 0x1p-24,
    ]
    return values.map { $0.bitPattern }
  }()

  private static func integers(_ bits: Int) -> [UInt64] {
    let top: UInt64 = 1 << UInt64(bits - 1)
    return [0, 1, 2, .max, .max - 1, top, top - 1, top + 1, 7, 127, 128, 255]
  }

  static func bits(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  static func areNaN(_ x: UInt64, _ y: UInt64, _ scalar: LoopScalar) -> Bool {
    let infinity: UInt64
    switch scalar {
    case .f16: infinity = 0x7c00
    case .bf16: infinity = 0x7f80
    case .f32: infinity = 0x7f80_0000
    case .f64: infinity = 0x7ff0 << 48
    default: return false
    }
    let magnitude: UInt64 = (1 << UInt64(scalar.bits - 1)) - 1
    return x & magnitude > infinity && y & magnitude > infinity
  }
}

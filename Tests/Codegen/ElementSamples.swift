import IR
import Support
import TestSupport

/// Elements of every kind that a type has: all of a small one, of others what is special and some at random.
enum ElementSamples {
  static func tensor(_ element: ElementType, count: Int) -> Tensor {
    if element == .bool { return Tensor(.bool, [2], integers: [0, 1]) }
    if element.bits <= 8 {
      let codes = 1 << element.bits
      let bytes = (0..<Swift.max(1, codes * element.bits / 8)).map { number -> UInt8 in
        switch element.bits {
        case 8: UInt8(number)
        case 4: UInt8(2 * number + 1) << 4 | UInt8(2 * number)
        default: 0b1110_0100
        }
      }
      return tensor(element, bytes, codes)
    }
    var random = Seeded(UInt64(element.bits) + (element.isFloat ? 1 : 0))
    let width = element.bits / 8
    var bytes: [UInt8] = []
    let special = element.isFloat ? Tensor(element, [floats.count], doubles: floats) : integers(element)
    special.bytes.withBytes { bytes += Array($0) }
    while bytes.count < count * width {
      // Any pattern, then a number of ordinary size.
      let word = random.next()
      for byte in 0..<width { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) }
      let plain = Double(Int(random.next() % 20_001) - 10_000) / 1000
      let ordinary = element.isFloat ? plain : (element.isSigned ? plain : Swift.abs(plain))
      Tensor(element, [1], doubles: [ordinary]).bytes.withBytes { bytes += Array($0) }
    }
    return tensor(element, bytes, bytes.count / width)
  }

  /// Every pair of some elements.
  static func pairs(_ element: ElementType, count: Int) -> (Tensor, Tensor) {
    let all = tensor(element, count: count)
    // Not every code where there are many, but an uneven walk through them.
    let step = Swift.max(1, all.count / count | 1)
    let chosen = all.count <= 2 * count ? Array(0..<all.count) : (0..<count).map { $0 * step % all.count }
    let left = chosen.flatMap { number in chosen.map { _ in number } }
    let right = chosen.flatMap { _ in chosen }
    return (all.picking(left, shape: [left.count]), all.picking(right, shape: [right.count]))
  }

  private static let floats: [Double] = [
    0, -0.0, .infinity, -.infinity, .nan, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, 3, 1e-3, -1e-3, 0x1p-24, 0x1p-133,
    0x1p-149, 100, -100, 7e4, 3e38, 0x1p31,
  ]

  private static func integers(_ element: ElementType) -> Tensor {
    let range = element.integerRange ?? 0...1
    let values = [0, 1, 2, 3, 5, 7, 31, 63, range.upperBound, range.upperBound - 1]
    let negative = element.isSigned ? [-1, -2, -7, -100, range.lowerBound, range.lowerBound + 1] : [Int(-1)]
    return Tensor(element, [values.count + negative.count], integers: values + negative)
  }

  private static func tensor(_ element: ElementType, _ bytes: [UInt8], _ count: Int) -> Tensor {
    guard let tensor = try? Tensor(element: .plain(element), shape: [count], bytes: ByteView(copying: bytes)) else {
      preconditionFailure("the bytes of \(count) \(element)")
    }
    return tensor
  }
}

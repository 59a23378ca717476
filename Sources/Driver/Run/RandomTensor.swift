import Glibc
import IR
import Support

/// Inputs made up from a seed: the same numbers as `random.c` makes in an emitted executable.
///
/// Counter-based: with mix the finalizer of splitmix64 and G its increment, input number i has the key
/// mix(seed + G (i + 1)) and its word number j is mix(key + G (j + 1)).
struct RandomTensor {
  private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15
  private let key: UInt64

  init(seed: UInt64, input: Int) {
    key = RandomTensor.mix(seed &+ RandomTensor.increment &* (UInt64(input) &+ 1))
  }

  /// `shape` must be one that a tensor can have.
  func make(_ element: TensorElement, shape: [Int], accepts: Range<Int>?) throws(Diagnostic) -> Tensor {
    guard let type = element.storage, type != .string else { throw .bug("a made-up tensor of \(element)") }
    let count = shape.reduce(1, *)
    let plain: Tensor
    switch type {
    case .f64, .f16: plain = Tensor(type, shape, doubles: normals(count))
    case _ where type.isFloat: plain = Tensor(type, shape, doubles: normals(count).map { Double(Float($0)) })
    default: plain = Tensor(type, shape, integers: integers(count, RandomTensor.range(type, accepts)))
    }
    return element == .plain(type) ? plain : try Tensor(element: element, shape: shape, bytes: plain.bytes)
  }

  /// All of a type of 8 bits or less, else 0 ..< 10, where the model does not say.
  private static func range(_ type: ElementType, _ accepts: Range<Int>?) -> Range<Int> {
    if let accepts, !accepts.isEmpty { return accepts }
    if type == .bool { return 0..<2 }
    if type.bits > 8 { return 0..<10 }
    return type.isSigned ? -(1 << (type.bits - 1))..<(1 << (type.bits - 1)) : 0..<(1 << type.bits)
  }

  private func integers(_ count: Int, _ range: Range<Int>) -> [Int] {
    let extent = UInt64(range.count)
    return (0..<count).map { range.lowerBound + Int(truncatingIfNeeded: word($0) % extent) }
  }

  private func normals(_ count: Int) -> [Double] {
    var result = [Double](repeating: 0, count: count)
    for index in 0..<count {
      let radius = sqrt(-2 * log(unit(index & ~1)))
      let angle = 6.283185307179586 * unit(index | 1)
      result[index] = radius * (index % 2 == 1 ? sin(angle) : cos(angle))
    }
    return result
  }

  private func word(_ index: Int) -> UInt64 {
    RandomTensor.mix(key &+ RandomTensor.increment &* (UInt64(index) &+ 1))
  }

  private func unit(_ index: Int) -> Double { (Double(word(index) >> 11) + 0.5) * 0x1p-53 }

  private static func mix(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

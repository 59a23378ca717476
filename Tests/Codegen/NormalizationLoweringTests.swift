import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct NormalizationLoweringTests {
  private func normalize(
    _ kind: any OpKind, _ x: Tensor, _ factors: [Tensor], _ type: TensorType? = nil
  ) throws {
    let closeness: Closeness =
      switch x.storage {
      case .f16: .within(relative: 0x1p-9, absolute: 0x1p-10)
      case .bf16: .within(relative: 0x1p-6, absolute: 0x1p-7)
      case .f64: .within(relative: 0x1p-40, absolute: 0x1p-40)
      default: .within(relative: 0x1p-18, absolute: 0x1p-18)
      }
    try expectLowering(
      "\(kind.mnemonic) of \(x.type), \(factors.map(\.type))", [type ?? x.type] + factors.map(\.type), [x] + factors,
      symbols: ["n": 0...999, "m": 0...999], closeness
    ) { builder, values in [try builder.add(kind, values)[0]] }
  }

  @Test func shapes() throws {
    var random = Seeded(11)
    for (shape, axis) in [
      ([3, 10], -1), ([1, 1], 1), ([5, 16], 1), ([2, 3, 70], 2), ([4, 3, 5], 1), ([7, 300], -1), ([3, 4], 0),
      ([0, 4], 1), ([4, 0], 1),
    ] {
      let row = Array(shape[(axis < 0 ? axis + shape.count : axis)...])
      let x = random.tensor(.f32, shape)
      let factors = [random.tensor(.f32, row), random.tensor(.f32, row)]
      for count in 0...2 { try normalize(LayerNorm(axis: axis, epsilon: 1e-5), x, Array(factors.prefix(count))) }
      for count in 0...1 { try normalize(RMSNorm(axis: axis, epsilon: 1e-6), x, Array(factors.prefix(count))) }
    }
  }

  @Test func stretchedFactors() throws {
    var random = Seeded(12)
    let x = random.tensor(.f32, [2, 3, 20])
    for shape in [[], [1], [20], [1, 20], [3, 1]] {
      let factors = [random.tensor(.f32, shape), random.tensor(.f32, shape)]
      try normalize(LayerNorm(axis: 1, epsilon: 1e-5), x, factors)
    }
  }

  @Test(arguments: [ElementType.f64, .f16, .bf16]) func elements(_ element: ElementType) throws {
    var random = Seeded(13)
    let factors = [random.tensor(element, [37]), random.tensor(element, [37])]
    try normalize(LayerNorm(epsilon: 1e-5), random.tensor(element, [5, 37]), factors)
    try normalize(RMSNorm(epsilon: 1e-5), random.tensor(element, [5, 37]), [factors[0]])
  }

  @Test func symbols() throws {
    var random = Seeded(14)
    let type = TensorType(.f32, [.symbol("n"), .symbol("m")])
    for (n, m) in [(0, 3), (1, 1), (4, 17), (3, 130)] {
      let x = random.tensor(.f32, [n, m])
      try normalize(LayerNorm(epsilon: 1e-5), x, [], type)
      try normalize(RMSNorm(epsilon: 1e-5), x, [Tensor(.f32, [], doubles: [0.5])], type)
    }
  }

  /// A mean far from zero must not cancel the variance.
  @Test func farFromZero() throws {
    let x = Tensor(.f32, [1, 64], doubles: (0..<64).map { 4096 + Double($0 % 8) })
    try normalize(LayerNorm(epsilon: 1e-5), x, [])
  }
}

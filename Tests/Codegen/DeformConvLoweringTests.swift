import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct DeformConvLoweringTests {
  @Test func shapes() throws {
    var random = Seeded(3)
    for (kind, x, w, masked) in [
      (DeformConv(padding: [1, 1, 1, 1]), [1, 5, 6, 3], [4, 3, 3, 3], true),
      (DeformConv(strides: [2, 1], padding: [1, 0, 1, 1], dilations: [1, 2]), [2, 6, 7, 4], [20, 3, 2, 4], false),
      (DeformConv(groups: 2, offsetGroups: 3), [1, 4, 4, 12], [6, 2, 2, 6], true),
      (DeformConv(offsetGroups: 2), [1, 3, 4, 36], [5, 1, 2, 36], true),
    ] {
      for element in [ElementType.f32, .f64, .f16] {
        let shape = try kind.geometry(w: w.map { Dim($0) }).extents(x[1...2].map { Dim($0) }).map { $0.constant ?? 0 }
        let taps = w[1] * w[2] * kind.offsetGroups
        let outer = [x[0]] + shape
        let inputs = [
          random.tensor(element, x), random.tensor(element, w), random.tensor(element, outer + [2 * taps]),
          random.tensor(element, masked ? outer + [taps] : [1]), random.tensor(element, [w[0]]),
        ]
        let closeness: Closeness =
          element == .f16
          ? .within(relative: 0x1p-6, absolute: 0x1p-4) : .within(relative: 0x1p-15, absolute: 0x1p-14)
        try expectLowering("\(kind) \(x) \(w)", inputs.map(\.type), inputs, closeness) { builder, v in
          [try builder.add(kind, [v[0], v[1], v[2], masked ? v[3] : nil, v[4]])[0]]
        }
      }
    }
  }
}

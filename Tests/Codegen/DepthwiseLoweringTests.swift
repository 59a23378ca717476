import IR
import Support
import TestSupport
import Testing

@testable import Codegen

/// Convolutions with one filter a channel, in bytes: sums are exact, whatever they are computed in.
@Suite struct DepthwiseLoweringTests {
  private func conv(_ x: Tensor, _ filters: Tensor, _ kind: Conv) throws {
    try expectLowering("conv \(x.type) by \(filters.type)", [x.type], [x], .exact, profiles: loweringProfiles) {
      builder, x in [try builder.add(kind, [x[0], try builder.add(Constant(filters))])[0]]
    }
  }

  @Test(arguments: [ElementType.u8, .i8]) func randomBytes(_ element: ElementType) throws {
    var random = Seeded(31)
    for channels in [3, 16, 21, 64] {
      let x = random.tensor(element, [2, 7, 9, channels])
      let filters = random.tensor(.i8, [channels, 3, 3, 1])
      try conv(x, filters, Conv(padding: [1, 1, 1, 1], groups: channels))
      try conv(x, filters, Conv(strides: [2, 2], padding: [0, 1, 1, 0], groups: channels))
    }
    try conv(random.tensor(element, [1, 30, 8]), random.tensor(.i8, [8, 5, 1]), Conv(groups: 8))
  }

  /// The largest sums that there are.
  @Test func extremes() throws {
    for (element, largest) in [(ElementType.u8, 255), (.i8, -128)] {
      let x = Tensor(element, [1, 9, 9, 5], integers: Array(repeating: largest, count: 405))
      for weight in [-128, 127] {
        // Up to 81 products; f32 holds the sums of 514.
        for side in [5, 9] {
          let filters = Tensor(.i8, [5, side, side, 1], integers: Array(repeating: weight, count: 5 * side * side))
          try conv(x, filters, Conv(padding: [4, 4, 4, 4], groups: 5))
        }
      }
    }
  }
}

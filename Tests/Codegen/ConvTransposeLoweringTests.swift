import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct ConvTransposeLoweringTests {
  private func transpose(
    _ kind: ConvTranspose, _ x: [Int], _ w: [Int], element: ElementType = .f32, bias: Bool = true, open: Bool = false
  ) throws {
    var random = Seeded(UInt64(x.reduce(0, +)))
    var inputs = [random.tensor(element, x), random.tensor(element, w)]
    if bias { inputs.append(random.tensor(element, [w[w.count - 1] * kind.groups])) }
    var types = inputs.map(\.type)
    if open {
      types[0].shape[0] = .symbol("n")
      types[0].shape[1] = .symbol("h")
    }
    let closeness: Closeness =
      switch element {
      case .f16: .within(relative: 0x1p-9, absolute: 0x1p-6)
      case .f64: .within(relative: 0x1p-44, absolute: 0x1p-44)
      default: .within(relative: 0x1p-17, absolute: 0x1p-16)
      }
    try expectLowering(
      "\(kind) \(x) \(w)", types, inputs, symbols: ["n": 0...99, "h": 0...99], closeness
    ) { builder, x in [try builder.add(kind, [x[0], x[1], bias ? x[2] : nil])[0]] }
  }

  @Test func shapes() throws {
    for open in [false, true] {
      try transpose(ConvTranspose(), [1, 4, 5, 3], [3, 3, 3, 6], open: open)
      try transpose(
        ConvTranspose(strides: [2, 2], padding: [1, 1, 1, 1]), [2, 4, 5, 3], [3, 4, 4, 20], bias: false, open: open)
      try transpose(
        ConvTranspose(strides: [3, 2], padding: [1, 0, 2, 1], dilations: [2, 1], extra: [1, 1]), [1, 5, 4, 4],
        [4, 3, 2, 5], open: open)
      try transpose(ConvTranspose(strides: [2]), [2, 6, 3], [3, 3, 70], open: open)
    }
    try transpose(
      ConvTranspose(strides: [2, 1, 2], padding: [0, 1, 0, 1, 0, 1]), [1, 2, 3, 4, 2], [2, 2, 3, 3, 3])
    try transpose(ConvTranspose(), [0, 4, 5, 3], [3, 3, 3, 6])
  }

  @Test func groups() throws {
    try transpose(ConvTranspose(strides: [2, 2], groups: 2), [2, 4, 3, 6], [6, 3, 3, 5])
    try transpose(ConvTranspose(strides: [2, 2], padding: [1, 1, 1, 1], groups: 18), [1, 4, 3, 18], [18, 3, 3, 1])
    try transpose(ConvTranspose(strides: [2], groups: 4), [1, 4, 4], [4, 3, 2])
  }

  @Test(arguments: [ElementType.f16, .f64]) func elements(_ element: ElementType) throws {
    try transpose(ConvTranspose(strides: [2, 2]), [1, 3, 4, 5], [5, 3, 3, 9], element: element)
    try transpose(ConvTranspose(strides: [2, 2], groups: 5), [1, 3, 4, 5], [5, 3, 3, 1], element: element)
  }
}
